"""``coldstart serve``: the HTTP service, its keys and its A/B report."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, astuple, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, get_args

import typer

from coldstart.cli import output
from coldstart.cli.database import DB as _DB
from coldstart.cli.database import Database
from coldstart.cli.database import app as database
from coldstart.cli.database import need as _need
from coldstart.cli.database import open_store as _open
from coldstart.cli.options import with_groups
from coldstart.cli.recommend import Model
from coldstart.cli.releases import experiment_of_release, rollback, show_releases, use
from coldstart.errors import ConfigError

if TYPE_CHECKING:
    from coldstart.serve.experiment import ArmReport
    from coldstart.serve.settings import ServeSettings
    from coldstart.serve.store import ApiKey, ArmOutcome, SubjectOutcome

app = typer.Typer()
keys = typer.Typer(no_args_is_help=True, help="Manage the API keys of the service.")
app.add_typer(keys, name="keys")
app.add_typer(database, name="db")
app.command("use")(use)
app.command("rollback")(rollback)
app.command("releases")(show_releases)

_LIMITS, _WHO = "Limits", "Access"


def _limit(help: str, **more: Any) -> Any:
    return typer.Option(help=help, rich_help_panel=_LIMITS, **more)


@dataclass(frozen=True)
class Limits:
    """Options of the service's limits; the names are fields of ``ServeSettings``."""

    queue: Annotated[int, _limit("Requests that may wait; more get 503.", min=1)] = 256
    batch: Annotated[int, _limit("Waiting requests taken together.", min=1)] = 16
    deadline: Annotated[
        float, _limit("Seconds until a request gets 504, or 503 if it has not begun.")
    ] = 10.0
    max_body: Annotated[int, _limit("Bytes of a request; more get 413.", min=1)] = 262144
    max_k: Annotated[int, _limit("Items in an answer; more get 422.", min=1)] = 100
    connections: Annotated[int, _limit("Open connections; more get 503.", min=1)] = 4096
    address_connections: Annotated[
        int, _limit("Of one address without a request; the oldest are closed.", min=1)
    ] = 512
    wrong_keys: Annotated[
        int, _limit("Wrong keys a minute from one address; more get 429.", min=1)
    ] = 60
    drain: Annotated[float, _limit("Seconds between not ready and the end, on SIGTERM.", min=0)] = (
        1.0
    )


@app.callback(invoke_without_command=True)
@with_groups
def serve(
    context: typer.Context,
    model: Model,
    limits: Limits,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 for any free one.")] = 8000,
    db: Database = _DB,
    experiment: Annotated[
        Path | None,
        typer.Option(
            help="A/B test: TOML of a name and arms: see the documentation.", metavar="FILE"
        ),
    ] = None,
    tenants: Annotated[
        Path | None,
        typer.Option(
            help="Several services: TOML of artifact and db for each, under /t/NAME/.",
            metavar="FILE",
        ),
    ] = None,
    most: Annotated[int, typer.Option(min=1, help="Tenants in memory at a time.")] = 8,
    images: Annotated[
        Path | None,
        typer.Option(
            help="Folder of the pictures that items name as files.",
            metavar="FOLDER",
            exists=True,
            file_okay=False,
        ),
    ] = None,
    remote_images: Annotated[
        bool,
        typer.Option(
            "--remote-images/--no-remote-images",
            help="Whether the page loads pictures from the hosts that items name.",
            rich_help_panel=_WHO,
        ),
    ] = True,
    open_mode: Annotated[
        bool,
        typer.Option(
            "--open",
            help="Require no key. [dim]Only on this machine.[/dim]",
            rich_help_panel=_WHO,
        ),
    ] = False,
    host_name: Annotated[
        list[str] | None,
        typer.Option(
            help="Name under which the service answers; any if left out. [dim]Repeatable.[/dim]",
            rich_help_panel=_WHO,
        ),
    ] = None,
    origin: Annotated[
        list[str] | None,
        typer.Option(
            help="Web origin whose pages may call it, as https://shop.example. "
            "[dim]Repeatable.[/dim]",
            rich_help_panel=_WHO,
        ),
    ] = None,
) -> None:
    """Serve recommendations over HTTP until Ctrl-C or SIGTERM; SIGHUP reloads the artifact.

    A release (coldstart serve use) replaces --artifact, now and at later starts.

    /openapi.json describes the API, /readyz its readiness, /metrics its use. Logs are JSON lines on
    stderr, without the content of profiles.

    [bold]Examples[/bold]
      coldstart serve --open
      coldstart serve --open --images pictures
      curl localhost:8000/v1/recommend -d '{"input": "slow-burn science fiction"}'
      coldstart serve keys add shop && coldstart serve --host 0.0.0.0
      coldstart serve --artifact adapters/mine --experiment ab.toml --db people.db
      coldstart serve --tenants tenants.toml --most 16
    """
    if context.invoked_subcommand is not None:
        return
    _need("uvicorn")
    from coldstart.serve.experiment import Experiment
    from coldstart.serve.server import run
    from coldstart.serve.service import Service
    from coldstart.serve.settings import ServeSettings, refuse_open_to_all, refuse_used_port

    refuse_open_to_all(host, open_mode=open_mode)
    settings = ServeSettings(
        **asdict(limits),
        open=open_mode,
        hosts=tuple(name.lower() for name in host_name or ()),
        origins=tuple(origin or ()),
        images=str(images) if images else "",
        remote_images=remote_images,
    )
    served = model.served()
    if served and (tenants is not None or experiment is not None):
        raise ConfigError(
            "--generator writes for one artifact", hint="leave --tenants and --experiment out"
        )
    if tenants is not None:
        for name in ("artifact", "revision", "experiment", "db", "images"):
            source = context.get_parameter_source(name)
            if source is not None and source.name == "COMMANDLINE":
                raise ConfigError(
                    f"--{name} beside --tenants", hint="each tenant's table says what it has"
                )
        return _serve_tenants(tenants, most, model, settings, host, port)
    test = Experiment.load(experiment) if experiment else None
    folders = test.artifacts(experiment.parent) if test and experiment else {"": model.artifact}
    refuse_used_port(host, port)
    store = _open(db)
    if not (open_mode or any(key.revoked is None for key in store.keys())):
        output.note("nobody has a key yet: coldstart serve keys add NAME, or --open")
    with output.status("loading …"):
        from coldstart.recommender import Recommender

        generator = served.open() if served else None
        service = Service(
            lambda folder: Recommender.from_pretrained(
                folder,
                device=model.device,
                dtype=model.dtype,
                revision=model.revision,
                generator=generator,
            ),
            folders,
            settings,
            store,
            test,
        )
    if aside := service.catalog.set_aside:
        named = ", ".join(f"{seq} ({item or 'unreadable'})" for seq, item in [*aside.items()][:5])
        output.note(
            f"{len(aside)} logged catalog changes cannot be applied and were set aside: {named}"
            f"{', …' * (len(aside) > 5)}; put the items again to replace them"
        )
    run(service, host, port)


def _serve_tenants(
    path: Path, most: int, model: Model, settings: ServeSettings, host: str, port: int
) -> None:
    """Serve the tenants of a file, after a check of their databases."""
    from coldstart.serve.server import run_tenants
    from coldstart.serve.settings import refuse_used_port
    from coldstart.serve.tenants import TenantServices
    from coldstart.serve.tenants_config import read_tenants
    from coldstart.tenants.registry import TenantRegistry

    found = read_tenants(path, settings)
    refuse_used_port(host, port)
    for name, tenant in found.items():
        with tenant.open() as store:
            if not (settings.open or any(key.revoked is None for key in store.keys())):
                output.note(f"{name}: nobody has a key yet: coldstart serve keys add WHO --db …")
    artifacts = {name: tenant.artifact for name, tenant in found.items()}
    loader = TenantRegistry(artifacts, device=model.device, dtype=model.dtype)
    run_tenants(TenantServices(found, loader.load, settings, most=most), host, port)


@keys.command("add")
def add_key(
    name: Annotated[str, typer.Argument(help="Name of the holder.")],
    rate: Annotated[
        int, typer.Option(min=0, help="Requests per minute, by cost; 0 for no limit.")
    ] = 600,
    admin: Annotated[
        bool, typer.Option("--admin", help="Also allow catalog changes and reloads.")
    ] = False,
    db: Database = _DB,
) -> None:
    """Create a key and print it, once; the database holds only a hash.

    [bold]Examples[/bold]
      coldstart serve keys add shop
      coldstart serve keys add editor --admin --rate 60
    """
    with _open(db) as store:
        made = store.create_key(name, rate_limit=rate or None, admin=admin)
    output.note(f"key {made.key.id} of {name}; keep it, it cannot be shown again")
    typer.echo(made.secret)


@keys.command("list")
def list_keys(db: Database = _DB, as_json: output.AsJson = False) -> None:
    """List the keys' holders and limits; the keys themselves are not stored.

    [bold]Examples[/bold]
      coldstart serve keys list
      coldstart serve keys list --json
    """
    with _open(db) as store:
        found = store.keys()
    if as_json:
        return output.emit([_plain(key) for key in found])
    table = output.table("Id", "Name", "Per minute", "Admin", "Made", "Revoked")
    for key in found:
        row = _plain(key)
        table.add_row(*("" if row[n] in (None, False) else str(row[n]) for n in row))
    output.stdout().print(table)


@keys.command("revoke")
def revoke_key(
    key_id: Annotated[str, typer.Argument(help="As keys list shows it.", metavar="ID")],
    db: Database = _DB,
) -> None:
    """Revoke a key, effective immediately in running services.

    [bold]Examples[/bold]
      coldstart serve keys revoke 0123456789abcdef
    """
    with _open(db) as store:
        if not store.revoke_key(key_id):
            raise ConfigError(
                f"no key {key_id!r} that is in use", hint="coldstart serve keys list shows them"
            )
    output.note(f"{key_id} is revoked")


@app.command("ab-report")
def ab_report(
    experiment: Annotated[
        Path | None,
        typer.Argument(help="The TOML file; of the present release if left out.", metavar="[FILE]"),
    ] = None,
    db: Database = _DB,
    outcome: Annotated[
        str,
        typer.Option(
            help="Of single requests: like, click, buy, dislike, skip, seen or not_now. "
            "[dim]Sessions go by likes.[/dim]",
            metavar="KIND",
        ),
    ] = "like",
    as_json: output.AsJson = False,
) -> None:
    """Report the outcomes of an A/B test by arm, with 95 % intervals.

    Two tables: sessions, and subjects of single requests. Share: fraction of sessions, or subjects,
    with at least one like, regardless of the number of lists. Gain: difference of the share from
    that of the first arm.

    [bold]Examples[/bold]
      coldstart serve ab-report ab.toml --db people.db
      coldstart serve ab-report ab.toml --outcome click --json
      coldstart serve ab-report --db visits.db
    """
    from coldstart.serve.experiment import Experiment, OutcomeKind, arm_reports

    if outcome not in get_args(OutcomeKind):
        raise ConfigError(
            f"no outcome {outcome!r}", hint=f"one of {', '.join(get_args(OutcomeKind))}"
        )
    test = Experiment.load(experiment) if experiment else experiment_of_release(db)
    with _open(db) as store:
        sessions = arm_reports(test.ordered(store.outcomes(test.name)))
        subjects = arm_reports(test.ordered(store.subject_outcomes(test.name, outcome)))
    if as_json:
        return output.emit(
            {
                "experiment": test.name,
                "arms": [arm.to_dict() for arm in sessions],
                "outcome": outcome,
                "subjects": [arm.to_dict() for arm in subjects],
            }
        )
    _print_arms(test.name, ("Sessions", "Lists", "Likes", "Sessions with a like"), sessions)
    counted = ("Subjects", "Lists", f"{outcome}: items", f"Subjects with a {outcome}")
    _print_arms(f"{test.name}, single requests", counted, subjects)


def _print_arms(
    title: str,
    columns: tuple[str, ...],
    arms: Sequence[ArmReport[ArmOutcome]] | Sequence[ArmReport[SubjectOutcome]],
) -> None:
    """Print one row per arm: counts, share and gain."""
    if not arms:
        return output.note(f"{title}: nobody took part yet")
    table = output.table("Arm", *columns, "Gain", right=(*columns, "Gain"), title=title)
    for arm in arms:
        name, *counts = astuple(arm.outcome)
        shares = (
            _with_interval(arm.share, arm.interval),
            _with_interval(arm.gain, arm.gain_interval),
        )
        table.add_row(name, *map(str, counts[:3]), *shares)
    output.stdout().print(table)


def _with_interval(value: float | None, interval: tuple[float, float] | None) -> str:
    if value is None or interval is None:
        return "–"
    return f"{value:.3f} [{interval[0]:.3f}, {interval[1]:.3f}]"


def _plain(key: ApiKey) -> dict[str, object]:
    return {
        "id": key.id,
        "name": key.name,
        "rate_limit": key.rate_limit,
        "admin": key.admin,
        "created": key.created.isoformat(timespec="seconds"),
        "revoked": key.revoked and key.revoked.isoformat(timespec="seconds"),
    }
