"""The HTTP contract, of a service in this process."""

from tests.serve.http_contract import *  # noqa: F403
