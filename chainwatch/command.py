"""The command line. Exit codes: 0 done, 1 something failed, 2 the input is wrong."""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import os
import sys
from collections.abc import Callable, Coroutine, Sequence
from pathlib import Path
from typing import Any

from alerts.table import NAMES
from chainwatch.logs import log_to_stderr
from chainwatch.top.arguments import add_arguments as add_top_arguments
from collector.about import VERSION
from collector.catalogue import CATALOGUE
from collector.configuration import (
    Address,
    Configuration,
    Mistake,
    Outputs,
    Stdout,
    WrongConfiguration,
    json_schema,
    read_configuration,
)
from collector.configuration.values import duration, listen
from compose.load.arguments import add_arguments

DONE, FAILED, WRONG = 0, 1, 2

_log = logging.getLogger("chainwatch")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code."""
    _fill_standard_streams()
    options = _parser().parse_args(arguments)
    try:
        code: int = options.run(options)
        if sys.stdout:
            sys.stdout.flush()  # here, where a failure can still be told
    except WrongConfiguration as wrong:
        print(wrong, file=sys.stderr)
        return WRONG
    except KeyboardInterrupt:
        return 128 + 2  # as a shell says of SIGINT
    except OSError as error:
        if not isinstance(error, BrokenPipeError):  # whoever reads it has seen enough
            where = f"{error.filename}: " if error.filename else ""
            print(f"chainwatch: {where}{error.strerror or error}", file=sys.stderr)
        _forget_output()
        return FAILED
    return code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="chainwatch", description="Monitoring for private Ethereum and EOSIO/Antelope chains."
    )
    parser.add_argument("--version", action="version", version=f"chainwatch {VERSION}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def command(name: str, does: Callable[[argparse.Namespace], int], text: str) -> argparse.ArgumentParser:
        added = commands.add_parser(name, help=text, description=text)
        added.set_defaults(run=does)
        return added

    def configured(name: str, does: Callable[[argparse.Namespace], int], text: str) -> argparse.ArgumentParser:
        added = command(name, does, text)
        added.add_argument("--config", type=Path, required=True, metavar="FILE", help="the configuration (YAML)")
        added.add_argument("--verbose", action="store_true", help="log more, defects with their tracebacks")
        return added

    configured("run", _run, "Collect until SIGTERM; SIGHUP takes the configuration anew.")
    once = configured("once", _once, "Gather everything once and deliver it; exit 1 if anything failed.")
    once.add_argument("--print", action="store_true", help="print line protocol instead of delivering")
    configured("check", _check, "Tell every mistake in a configuration.")
    alerts = configured("alerts", _alerts, "Write rules for Prometheus, and a configuration of Alertmanager.")
    alerts.add_argument("--output", type=Path, required=True, metavar="DIR", help="where to, now and each time again")
    alerts.add_argument("--grafana", metavar="UID", help="write rules for Grafana as well, for its datasource UID")
    notify = command("notify", _notify_test, "Try the ways to tell people that `alerts.channels` names.")
    notifying = notify.add_subparsers(required=True, metavar="COMMAND")
    text = "Send a test message over each channel, and tell how it went; exit 1 if any failed."
    trial = notifying.add_parser("test", help=text, description=text)
    trial.add_argument("--config", type=Path, required=True, metavar="FILE", help="the configuration (YAML)")
    trial.add_argument("--channel", metavar="NAME", help="one of them alone")
    demo = command("demo", _demo, "Watch a simulated Ethereum and a simulated nodeos cluster.")
    demo.add_argument("--duration", type=_seconds, metavar="SECONDS", help="end by itself")
    where = "where to look (%(default)s)"
    demo.add_argument("--listen", type=_address, default="127.0.0.1:9273", metavar="ADDRESS:PORT", help=where)
    demo.add_argument("--verbose", action="store_true", help="log more, defects with their tracebacks")
    metrics = command("metrics", _metrics, "Print the catalogue: every metric that chainwatch itself defines.")
    metrics.add_argument("--json", action="store_true", help="print JSON")
    deploy = command("deploy", _deploy, "Make a directory for Docker: a private network, watched.")
    options = "the options (YAML or JSON); left out, those that DIR was made of, or at first the defaults"
    deploy.add_argument("options", nargs="?", type=Path, metavar="OPTIONS", help=options)
    deploy.add_argument("--output", type=Path, required=True, metavar="DIR", help="where to, now and each time again")
    deploy.add_argument("--diff", action="store_true", help="print what would change, and write nothing")
    deploy.add_argument("--new-genesis", action="store_true", help="let the chain go if the options want another one")
    deploy.add_argument("--force", action="store_true", help="write beside files of somebody else")
    target = "Docker Compose or a swarm; left out, what DIR was made for, at first compose"
    deploy.add_argument("--target", choices=("compose", "swarm"), help=target)
    dashboards = command("dashboards", _dashboards, "Write Grafana's dashboards, for its file provisioning.")
    into = "where to, now and each time again"
    dashboards.add_argument("--output", type=Path, required=True, metavar="DIR", help=into)
    of_thresholds = "whose thresholds panels are coloured by; left out, the defaults"
    dashboards.add_argument("--config", type=Path, metavar="FILE", help=of_thresholds)
    endpoints = command("endpoints", _endpoints, "Print where a deployed network answers, as JSON.")
    endpoints.add_argument("directory", type=Path, metavar="DIR", help="what `deploy` made")
    endpoints.add_argument("name", nargs="?", metavar="NAME", help="one alone, such as client-http")
    add_arguments(command("load", _load, "Count how many requests a node or a cluster holds."))
    add_top_arguments(command("top", _top, "Show how all chains are, as the collector's page does."))
    command("schema", _schema, "Print the JSON Schema of the configuration, for editors.")
    return parser


def _run(options: argparse.Namespace) -> int:
    from chainwatch.running import read_to_run, run  # noqa: PLC0415 - the other commands do without

    warnings: list[Mistake] = []
    configuration = read_to_run(options.config, warnings.append)
    log_to_stderr(verbose=options.verbose, telegraf=configuration.outputs.telegraf is not None)
    for warning in warnings:
        _log.warning("%s", warning)
    return _on_a_loop(run(options.config, configuration))


def _once(options: argparse.Namespace) -> int:
    from chainwatch.running import once  # noqa: PLC0415 - as above

    configuration = _read(options.config)
    if options.print:
        configuration = configuration.model_copy(update={"outputs": Outputs(stdout=Stdout())})
    log_to_stderr(verbose=options.verbose)
    return _on_a_loop(once(configuration))


def _check(options: argparse.Namespace) -> int:
    from collector.discovery import mistakes_in_files  # noqa: PLC0415 - as above

    configuration = _read(options.config)
    if mistakes := mistakes_in_files(configuration):
        raise WrongConfiguration(mistakes)
    chains = ", ".join(f"{chain.name} ({chain.kind}, {len(chain.servers)} servers)" for chain in configuration.chains)
    outputs = "no outputs: `run` would have nowhere to deliver" if not configuration.outputs else "outputs are named"
    print(f"{options.config}: no mistakes; chains: {chains}; {outputs}")
    return DONE


def _alerts(options: argparse.Namespace) -> int:
    from alerts.channels import UnsupportedError  # noqa: PLC0415 - as above
    from chainwatch.alerting import write_alerts  # noqa: PLC0415 - as above
    from chainwatch.files import NotOurs  # noqa: PLC0415 - as above

    try:
        write_alerts(_read(options.config), options.output, print, options.grafana)
    except NotOurs as somebody:
        print(somebody, file=sys.stderr)
        return FAILED
    except UnsupportedError as unsupported:
        print(f"{options.config}: {unsupported}", file=sys.stderr)
        return WRONG
    return DONE


def _notify_test(options: argparse.Namespace) -> int:
    from chainwatch.notifying import UnknownChannel, try_channels  # noqa: PLC0415 - as above

    log_to_stderr(verbose=False)
    try:
        well = asyncio.run(try_channels(_read(options.config), options.channel, print))
    except UnknownChannel as unknown:
        print(f"chainwatch: {unknown}", file=sys.stderr)
        return WRONG
    return DONE if well else FAILED


def _demo(options: argparse.Namespace) -> int:
    from chainwatch.demo import demo  # noqa: PLC0415 - as above

    log_to_stderr(verbose=options.verbose)
    return _on_a_loop(demo(options.listen, options.duration))


def _metrics(options: argparse.Namespace) -> int:
    if options.json:
        rows = [
            {
                "name": metric.name,
                "kind": metric.kind.value,
                "unit": metric.unit,
                "labels": list(metric.labels),
                "help": metric.help,
                "origin": metric.origin,
            }
            for metric in CATALOGUE
        ]
        print(json.dumps(rows, indent=2))
        return DONE
    for metric in CATALOGUE:
        unit = f", {metric.unit}" if metric.unit else ""
        print(f"{metric.name}  ({metric.kind.value}{unit})  {{{', '.join(metric.labels)}}}")
        print(f"    {metric.help}  From: {metric.origin}.")
    return DONE


def _deploy(options: argparse.Namespace) -> int:
    from compose.deploying import (  # noqa: PLC0415 - as above
        TARGETS,
        Refused,
        Unusable,
        deploy,
        differences,
        options_for,
        target_of,
    )

    try:
        target = options.target or target_of(options.output) or TARGETS[0]
        cluster, remarks = options_for(options.options, options.output, target)
        for remark in remarks:
            print(remark, file=sys.stderr)
        how = {"new_genesis": options.new_genesis, "force": options.force}
        if options.diff:
            for line in differences(cluster, options.output, target=target, **how):
                print(line)
        else:
            deploy(cluster, options.output, print, target=target, **how)
    except (Refused, Unusable) as refused:
        print(refused, file=sys.stderr)
        return FAILED
    return DONE


def _dashboards(options: argparse.Namespace) -> int:
    from alerts.chosen import limits  # noqa: PLC0415 - as above
    from chainwatch.files import File, write_files  # noqa: PLC0415 - as above
    from dashboards.limits import figures  # noqa: PLC0415 - as above
    from dashboards.writing import texts  # noqa: PLC0415 - as above

    known = limits(_read(options.config)) if options.config else ()
    made = texts(limits=figures((of.chain, of.pipeline) for of in known))
    write_files({options.output / name: File(text) for name, text in made.items()}, print)
    return DONE


def _endpoints(options: argparse.Namespace) -> int:
    from compose.endpoints import Refused, Unusable, endpoint, endpoints  # noqa: PLC0415 - as above

    try:
        found = endpoint(options.directory, options.name) if options.name else endpoints(options.directory)
    except (Refused, Unusable) as refused:
        print(refused, file=sys.stderr)
        return WRONG
    print(json.dumps(found, indent=2))
    return DONE


def _load(options: argparse.Namespace) -> int:
    from compose.load.command import run  # noqa: PLC0415 - as above

    return run(options)


def _top(options: argparse.Namespace) -> int:
    from chainwatch.top.command import run  # noqa: PLC0415 - as above

    return _on_a_loop(run(options))


def _schema(_: argparse.Namespace) -> int:
    print(json.dumps(json_schema(), indent=2))
    return DONE


def _read(path: Path) -> Configuration:
    return read_configuration(path, warn=lambda mistake: print(f"{mistake}", file=sys.stderr), alerts=NAMES)


def _seconds(text: str) -> float:
    try:
        return duration(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r} {error}") from None


def _address(text: str) -> Address:
    try:
        return listen(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r} {error}") from None


def _fill_standard_streams() -> None:
    """Put /dev/null where a standard stream was closed: else a socket gets its place, and uvloop aborts at that."""
    while (descriptor := os.open(os.devnull, os.O_RDWR)) <= 2:  # noqa: PLR2004 - standard error
        pass
    os.close(descriptor)


def _forget_output() -> None:
    """Let what could not be written go: Python would try again at exit, and tell of it in words of its own."""
    if sys.stdout:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _on_a_loop(coroutine: Coroutine[Any, Any, int]) -> int:
    try:
        import uvloop  # noqa: PLC0415 - not on every platform
    except ImportError:
        return asyncio.run(coroutine)
    return uvloop.run(coroutine)
