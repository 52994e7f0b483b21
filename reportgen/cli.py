"""The command line: parse, call, print. Everything heavy is imported by the command that needs it."""

from __future__ import annotations

import argparse
import json
import os
import re
import signal
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from reportgen import __version__
from reportgen.errors import (
    EXIT_DONE,
    EXIT_IN_PART,
    EXIT_INTERRUPTED,
    ReportgenError,
    UsageError,
    did_you_mean,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from reportgen.pipeline import Finished, Unchanged
    from reportgen.verify import Row

EXIT_CODES = """exit codes:
  0    done
  1    a bug in reportgen
  2    bad input, or a disk that refused: one line on standard error says what, where and what to do;
       what was finished before is kept
  3    done in part: a variant failed or there is no PDF; the rest is there. Or a check failed
  130  interrupted
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command line; gives the exit code."""
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        options = _parser().parse_args(argv)
        command: Callable[[argparse.Namespace], int] = options.command
        return command(options)
    except ReportgenError as error:
        print(f"reportgen: {_one_line(error)}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        print("reportgen: interrupted", file=sys.stderr)
        return EXIT_INTERRUPTED
    except BrokenPipeError:
        # Whoever read our output has stopped (`| head`); Python would complain again at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return EXIT_DONE


def _interrupt(signum: int, frame: object) -> NoReturn:
    """Treat a polite kill as Ctrl-C, so that nothing half-made is left."""
    raise KeyboardInterrupt


def _one_line(problem: object) -> str:
    from reportgen.text import inert  # noqa: PLC0415  keeps --help light

    return " ".join(inert(problem, 1000).split())


class _Parser(argparse.ArgumentParser):
    """A parser whose complaints are errors like all others."""

    def error(self, message: str) -> NoReturn:
        unknown = re.match(r"unrecognized arguments: (--[\w-]+)", message)
        if unknown:
            options = [option for action in self._all_actions() for option in action.option_strings]
            if unknown[1] in options:
                raise UsageError(f"{unknown[1]}: is of other commands; see `reportgen COMMAND --help`")
            raise UsageError(f"{unknown[1]}: no such option; {did_you_mean(unknown[1], options)}")
        raise UsageError(f"{message}; `{self.prog} --help` lists what is possible")

    def _all_actions(self) -> list[argparse.Action]:
        """List the options of this parser and of its commands, which know of unknown ones too late."""
        actions = list(self._actions)
        for action in self._actions:
            if isinstance(action, argparse._SubParsersAction):
                actions += [one for parser in action.choices.values() for one in parser._actions]
        return actions


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="reportgen",
        description="Train a deep-learning lab's networks and hand over an HTML and a PDF report.",
        epilog=EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"reportgen {__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True, dest="name")
    for add in (
        *(_add_run, _add_render, _add_verify, _add_store, _add_show),
        *(_add_labs, _add_init, _add_schema, _add_doctor),
    ):
        add(commands)
    return parser


def _add(commands: Any, name: str, run: Callable[[argparse.Namespace], int], text: str) -> Any:
    parser = commands.add_parser(
        name,
        help=text,
        description=text,
        epilog=EXIT_CODES,
        allow_abbrev=False,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.set_defaults(command=run)
    return parser


def _add_lab_argument(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "lab",
        nargs="?",
        default="mnist",
        metavar="LAB",
        help="a lab's TOML file or a built-in name (default: mnist)",
    )


def _count(text: str) -> int:
    """Read a whole number; its range is checked with the lab's."""
    try:
        return int(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"'{text}', expected a whole number") from None


# --- run -----------------------------------------------------------------------------------------


def _add_run(commands: Any) -> None:
    parser = _add(commands, "run", _run, "Train every variant of a lab and write its report.")
    _add_lab_argument(parser)
    parser.add_argument(
        "--dataset",
        metavar="NAME",
        help="mnist, fashion_mnist, cifar10 or digits, in the place of the lab's own; no fallback",
    )
    parser.add_argument(
        "--data",
        metavar="PATH",
        help="an .npz file with Keras' array names, or a folder of IDX files",
    )
    parser.add_argument("--epochs", type=_count, metavar="N", help="epochs of each training")
    parser.add_argument("--batch-size", type=_count, metavar="N", help="images in a batch")
    parser.add_argument("--seeds", type=_count, metavar="N", help="trainings of each variant")
    parser.add_argument("--variants", metavar="A,B", help="only these variants")
    parser.add_argument(
        "--output",
        type=_folder,
        default="output",
        metavar="DIR",
        help="where runs are written (default: output)",
    )
    parser.add_argument(
        "--jobs",
        type=_count,
        metavar="N",
        help="trainings at once, sharing the cores (default: one a core)",
    )
    parser.add_argument(
        "--job-timeout",
        type=_duration,
        metavar="TIME",
        help="stop a training after 90s, 15min, 2h",
    )
    _add_documents(parser, "; the report is always written")
    parser.add_argument("--quiet", action="store_true", help="no progress")


def _add_documents(parser: argparse.ArgumentParser, also: str) -> None:
    parser.add_argument(
        "--format",
        default="html,pdf",
        metavar="LIST",
        help="some of html, pdf, md, ipynb, json (default: html,pdf)",
    )
    parser.add_argument(
        "--edition",
        default="report",
        metavar="LIST",
        help=f"some of report, handout, instructor{also}",
    )
    parser.add_argument(
        "--sheet", type=_count, default=1, metavar="N", help="another sheet of exercises (default: 1)"
    )
    parser.add_argument("--paper", metavar="SIZE", help="a4 or letter (default: the lab's, or the run's)")
    parser.add_argument(
        "--language", metavar="CODE", help="en, de, es or zh (default: the lab's, or the run's)"
    )
    parser.add_argument(
        "--template-dir",
        metavar="DIR",
        help="templates and style sheets (report.css, more.css) in the place of reportgen's",
    )
    parser.add_argument(
        "--max-size",
        type=_size,
        default=0,
        metavar="SIZE",
        help="let no document have more than 10MB, 800kB; galleries show fewer images for it",
    )


def _size(text: str) -> int:
    from reportgen.text import read_size  # noqa: PLC0415

    try:
        return read_size(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _run(options: argparse.Namespace) -> int:
    from reportgen.documents import Wish  # noqa: PLC0415
    from reportgen.execution.plan import Workers  # noqa: PLC0415
    from reportgen.lab import overrides  # noqa: PLC0415
    from reportgen.pipeline import execute, unchanged  # noqa: PLC0415
    from reportgen.prepare import prepare  # noqa: PLC0415
    from reportgen.progress import observer_for  # noqa: PLC0415
    from reportgen.report.copies import copies_of  # noqa: PLC0415
    from reportgen.report.formats import formats_of  # noqa: PLC0415
    from reportgen.show import scores  # noqa: PLC0415

    formats = formats_of(options.format)
    copies = copies_of(options.edition, options.sheet, whole_run=True, templates=options.template_dir)
    wish = Wish(formats, options.max_size, copies)
    given = overrides(
        dataset=options.dataset,
        data=options.data,
        epochs=options.epochs,
        batch_size=options.batch_size,
        seeds=options.seeds,
        variants=_names(options.variants),
        paper=options.paper,
        language=options.language,
    )
    with observer_for(options.quiet) as watch:
        workers = Workers.of(options.jobs, options.job_timeout)
        output = Path(options.output)
        prepared = prepare(options.lab, given, output, workers, watch.say, wish)
        same = unchanged(prepared)
        if same is not None:
            watch.say(f"nothing has changed: {same.run} stands; `reportgen render {same.run}` draws it again")
            return _end(same)
        watch.begin(prepared.jobs, prepared.dataset, workers.count)
        finished = execute(prepared, watch, watch.say)
        for line in scores(finished.results):
            watch.say(line)
    return _end(finished)


def _complain(text: str) -> None:
    print(f"reportgen: {_one_line(text)}", file=sys.stderr)


def _end(finished: Finished | Unchanged) -> int:
    for problem in finished.problems:
        _complain(problem)
    _print_paths(finished.documents)
    return finished.exit_code


_UNITS = {"s": 1, "min": 60, "m": 60, "h": 3600, "d": 86400}


def _duration(text: str) -> float:
    """Read a time such as 90s, 15min, 2h or 30d as seconds; a number alone could be meant as anything."""
    found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([a-z]*)", text.strip())
    if not found or found[2] not in _UNITS or not float(found[1]):
        raise argparse.ArgumentTypeError(f"'{text}', expected a time such as 90s, 15min, 2h or 30d")
    return float(found[1]) * _UNITS[found[2]]


def _names(text: str | None) -> tuple[str, ...] | None:
    if text is None:
        return None
    return tuple(name.strip() for name in text.split(",") if name.strip())


def _print_paths(documents: dict[str, Path]) -> None:
    for path in documents.values():
        print(path)


# --- render --------------------------------------------------------------------------------------


def _add_render(commands: Any) -> None:
    parser = _add(commands, "render", _render, "Make the report again from a run directory.")
    parser.add_argument("run", metavar="RUN", help="a run directory, such as output/mnist/latest")
    _add_documents(parser, " (default: report)")


def _render(options: argparse.Namespace) -> int:
    from reportgen.documents import laid_out, render  # noqa: PLC0415
    from reportgen.lab import overrides  # noqa: PLC0415
    from reportgen.report.copies import copies_of  # noqa: PLC0415
    from reportgen.report.formats import formats_of  # noqa: PLC0415
    from reportgen.results import load_results  # noqa: PLC0415
    from reportgen.rundir import check_writable  # noqa: PLC0415

    formats = formats_of(options.format)
    copies = copies_of(options.edition, options.sheet, templates=options.template_dir)
    given = overrides(paper=options.paper, language=options.language)
    results = laid_out(load_results(options.run), given)
    check_writable(Path(options.run))
    documents, problems = render(results, formats, options.max_size, _complain, copies)
    for problem in problems:
        _complain(problem)
    _print_paths(documents)
    return EXIT_IN_PART if problems else EXIT_DONE


# --- verify --------------------------------------------------------------------------------------


def _add_verify(commands: Any) -> None:
    text = "Check that a run is what was written, and that a training gives the same weights again."
    parser = _add(commands, "verify", _verify, text)
    parser.add_argument("run", metavar="RUN", help="a run directory, such as output/mnist/latest")
    parser.add_argument(
        "--retrain", metavar="VARIANT", help="train this variant again and compare its weights"
    )
    parser.add_argument("--seed", type=_count, metavar="N", help="the seed of --retrain (default: 1)")
    parser.add_argument(
        "--data", metavar="PATH", help="the data of --retrain, if no longer where the run found it"
    )


def _verify(options: argparse.Namespace) -> int:
    from reportgen.verify import FAIL, find_run, verify  # noqa: PLC0415

    if options.retrain is None and (options.seed is not None or options.data is not None):
        option = "--seed" if options.seed is not None else "--data"
        raise UsageError(f"{option}: is for --retrain VARIANT, which is missing")
    run = find_run(Path(options.run))
    again = _retrained(run, options) if options.retrain is not None else ()
    rows = [*verify(run), *again]
    width = max(len(row.name) for row in rows)
    for row in rows:
        print(f"{row.mark:4}  {_one_line(row.name):{width}}  {_one_line(row.found)}")
    return EXIT_IN_PART if any(row.mark == FAIL for row in rows) else EXIT_DONE


def _retrained(run: Path, options: argparse.Namespace) -> tuple[Row, Row]:
    from reportgen.progress import observer_for  # noqa: PLC0415
    from reportgen.retrain import Wanted, prepare, retrain  # noqa: PLC0415

    seed = 1 if options.seed is None else options.seed
    wanted = Wanted(options.retrain, seed, Path(options.data) if options.data else None)
    with observer_for(quiet=False) as watch:
        prepared = prepare(run, wanted, watch.say)
        watch.begin([prepared.planned.job], prepared.dataset)
        return prepared.conditions, retrain(prepared, watch)


# --- store ---------------------------------------------------------------------------------------


def _add_store(commands: Any) -> None:
    text = "List the trainings that are kept; `reportgen store prune` frees the space of old ones."
    parser = _add(commands, "store", _store, text)
    _add_output(parser, default="output")
    parts = parser.add_subparsers(title="commands", metavar="COMMAND")
    text = "Remove trainings that were last used long ago and that no run refers to."
    prune = _add(parts, "prune", _prune, text)
    _add_output(prune, default=argparse.SUPPRESS)  # else it would undo a --output before `prune`
    prune.add_argument(
        "--older",
        type=_duration,
        default="30d",
        metavar="TIME",
        help="what was not used for 90s, 15min, 2h, 30d (default: 30d)",
    )
    prune.add_argument("--dry-run", action="store_true", help="say what would be removed, remove nothing")


def _add_output(parser: argparse.ArgumentParser, default: str) -> None:
    parser.add_argument(
        "--output",
        type=_folder,
        default=default,
        metavar="DIR",
        help="where runs are written (default: output)",
    )


def _store(options: argparse.Namespace) -> int:
    from reportgen.upkeep import listing, no_store, take_stock  # noqa: PLC0415

    output = Path(options.output)
    stock = take_stock(output, time.time())
    for line in listing(stock) if stock else [no_store(output)]:
        print(line)
    return EXIT_DONE


def _prune(options: argparse.Namespace) -> int:
    from reportgen.upkeep import account, no_store, prune  # noqa: PLC0415

    output = Path(options.output)
    pruned = prune(output, options.older, options.dry_run, time.time())
    for line in account(pruned, options.dry_run) if pruned else [no_store(output)]:
        print(line)
    return EXIT_DONE


# --- labs ----------------------------------------------------------------------------------------


def _add_show(commands: Any) -> None:
    parser = _add(commands, "show", _show, "Print a lab's variants: layers, output shapes, parameters.")
    _add_lab_argument(parser)
    parser.add_argument("--data", metavar="PATH", help="take image shape and classes from this data")


def _show(options: argparse.Namespace) -> int:
    from reportgen.show import show  # noqa: PLC0415

    for line in show(options.lab, Path(options.data) if options.data else None):
        print(line)
    return EXIT_DONE


def _add_labs(commands: Any) -> None:
    _add(commands, "labs", _labs, "List the built-in labs.")


def _labs(options: argparse.Namespace) -> int:
    from reportgen.lab import builtin_labs, load_lab  # noqa: PLC0415

    for name in builtin_labs():
        lab = load_lab(name)
        print(f"{name:16} {lab.title} ({len(lab.variants)} variants on {lab.dataset.name})")
    return EXIT_DONE


def _add_init(commands: Any) -> None:
    parser = _add(commands, "init", _init, "Write a commented lab to start from.")
    parser.add_argument("folder", metavar="DIR", help="a folder, new or without a lab.toml")


def _init(options: argparse.Namespace) -> int:
    from reportgen.starter import write_lab  # noqa: PLC0415

    path = write_lab(Path(options.folder))
    print(path)
    print(f"next: reportgen show {path}, then reportgen run {path}")
    return EXIT_DONE


def _folder(text: str) -> str:
    """Read the name of a folder: an unset variable of a shell is none."""
    if not text.strip():
        raise argparse.ArgumentTypeError("is empty, expected a folder")
    return text


def _add_schema(commands: Any) -> None:
    text = "Print the JSON schema of a lab's TOML, for editors, or of a document's JSON."
    parser = _add(commands, "schema", _schema, text)
    names = ("lab", "report", "handout", "instructor")
    parser.add_argument(
        "of",
        metavar="WHAT",
        nargs="?",
        choices=names,
        default="lab",
        help=f"what of: {', '.join(names)} (default: lab)",
    )


def _schema(options: argparse.Namespace) -> int:
    if options.of == "lab":
        from reportgen.lab import json_schema  # noqa: PLC0415

        made = json_schema()
    else:
        from reportgen.report.json_file import document_schema  # noqa: PLC0415

        made = document_schema(options.of)
    print(json.dumps(made, indent=2))
    return EXIT_DONE


# --- doctor --------------------------------------------------------------------------------------


def _add_doctor(commands: Any) -> None:
    parser = _add(commands, "doctor", _doctor, "Check Python, TensorFlow, Pango, fonts, data and output.")
    parser.add_argument(
        "--output", type=_folder, default="output", metavar="DIR", help="where runs would be written"
    )


def _doctor(options: argparse.Namespace) -> int:
    from reportgen.doctor import examine  # noqa: PLC0415

    checks = list(examine(Path(options.output)))
    for check in checks:
        print(f"{'ok  ' if check.ok else 'FAIL'}  {check.name:11} {check.found}")
        if not check.ok:
            print(f"      {'':11} {check.remedy}")
    return EXIT_DONE if all(check.ok for check in checks) else EXIT_IN_PART
