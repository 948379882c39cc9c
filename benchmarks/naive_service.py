"""The service that tutorials build: Flask, a global Transformers model, ``generate`` per request.

    python benchmarks/naive_service.py --port 8001

``POST /recommend`` writes ten titles (``num_return_sequences``) with the artifact's merged model
and its prompt, and looks each up by sentence embeddings: ``hf_sample`` of ``serving.py``. Every
request gets a thread of its own. Nothing is queued or refused.
"""

from __future__ import annotations

import argparse
import logging
import threading
from collections.abc import Sequence

from serving import ByHand, hf_sample

from coldstart import Recommender, UserProfile

try:
    from flask import Flask, jsonify, request
except ImportError:
    raise SystemExit("the naive service is a Flask app: pip install flask") from None


class Shared(ByHand):
    """``ByHand`` for several threads: a fast tokenizer used by two at once raises."""

    def __init__(self, recommender: Recommender) -> None:
        super().__init__(recommender)
        self._lock = threading.Lock()

    def prompt(self, profile: UserProfile) -> list[int]:
        """As of one."""
        with self._lock:
            return super().prompt(profile)

    def lookup(self, texts: Sequence[str]) -> list[str]:
        """As of one."""
        with self._lock:
            return super().lookup(texts)


def make_app(recommender: Recommender) -> Flask:
    """The app, its model loaded."""
    app, answer = Flask(__name__), hf_sample(Shared(recommender))
    titles = {item.item_id: item.title for item in recommender.catalog}

    @app.get("/ready")
    def ready() -> object:
        return jsonify(status="ready")

    @app.post("/recommend")
    def recommend() -> object:
        asked = request.get_json()
        profile = UserProfile.model_validate(asked["profile"])
        found = answer(profile, int(asked.get("k", 10)))
        return jsonify(items=[{"item_id": i, "title": titles[i]} for i in found])

    return app


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--artifact", default="adapters/ml-100k")
    parser.add_argument("--port", type=int, default=8001)
    given = parser.parse_args()
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    app = make_app(Recommender.from_pretrained(given.artifact))
    app.run("127.0.0.1", given.port, threaded=True)


if __name__ == "__main__":
    main()
