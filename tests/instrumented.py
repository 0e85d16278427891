"""Modules with Slipcover's probes in them; what is dear to make of one is kept beside what Python keeps of it.

Slipcover alone parses, compiles and edits all modules again in each run.
"""

import ast
import sys
from collections.abc import Iterator, Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any

from slipcover import Slipcover, __version__, probe
from slipcover.branch import preinstrument
from slipcover.bytecode import Editor

SOURCES = ("funnel_app", "jobs", "sandbox")
# After so many calls of a probe all that was seen is taken out of the code, for which every function is looked through.
CALLS = 5_000


class InstrumentingFinder(MetaPathFinder):
    """Finds the modules that are measured."""

    def __init__(self, measured: Any) -> None:
        self._measured = measured

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Return a module of ours with its probes; None for all others."""
        if fullname.partition(".")[0] not in SOURCES:
            return None
        spec = PathFinder.find_spec(fullname, path, target)
        if spec is not None and isinstance(spec.loader, SourceFileLoader):
            spec.loader = _InstrumentedLoader(self._measured, fullname, spec.loader.path)
        return spec


def measure_imports(measured: Any) -> None:
    """Measure what is imported from now on. Safe to repeat."""
    if not any(isinstance(each, InstrumentingFinder) for each in sys.meta_path):
        sys.meta_path.insert(0, InstrumentingFinder(measured))


def count_unseen(measured: Any) -> None:
    """Let what was never imported count as not covered."""
    for path in _sources():
        if path not in measured.code_lines:
            _count(measured, _prepared(path))


class _PreparedLoader(SourceFileLoader):
    """Loads a module's code as far as it can be kept in a file: with room for probes, but none in it."""

    def get_data(self, path: str) -> bytes:
        return super().get_data(_kept_at(path))

    def set_data(self, path: str, data: Any, *, _mode: int = 0o666) -> None:
        super().set_data(_kept_at(path), data, _mode=_mode)

    def source_to_code(self, data: Any, path: Any, **_: Any) -> CodeType:  # type: ignore[override]
        measured = Slipcover(branch=True)
        tree = preinstrument(ast.parse(data))
        code = measured.instrument(compile(tree, path, "exec", dont_inherit=True))
        lines, branches = measured.code_lines[code.co_filename], measured.code_branches[code.co_filename]
        return _without_probes(measured, code, (tuple(lines), tuple(branches)))


class _InstrumentedLoader(_PreparedLoader):
    def __init__(self, measured: Any, fullname: str, path: str) -> None:
        super().__init__(fullname, path)
        self._measured = measured

    def exec_module(self, module: ModuleType) -> None:
        self._measured.register_module(module)
        super().exec_module(module)

    def get_code(self, fullname: str) -> CodeType | None:
        prepared = super().get_code(fullname)
        assert prepared is not None
        _count(self._measured, prepared)
        code = _with_probes(self._measured, prepared)
        self._measured.instrumented[code.co_filename].add(code)
        return code


def _kept_at(path: str) -> str:
    stem = path.removesuffix(".pyc")
    return path if stem == path else f"{stem}.slipcover-{__version__}.pyc"


def _without_probes(measured: Any, code: CodeType, countable: object = None) -> CodeType:
    """Return code whose probes are only noted, in one constant more: where each is called, for what, and its place."""
    consts = [_without_probes(measured, each) if isinstance(each, CodeType) else each for each in code.co_consts]
    signal, probes = code.co_consts.index(probe.signal), []
    for offset, seen in measured.code2index[code]:
        _, place = Editor(code).get_inserted_function(offset)
        probes.append((offset, seen, place))
        consts[place] = None
    consts[signal] = None
    return code.replace(co_consts=(*consts, (signal, tuple(probes), countable)))


def _with_probes(measured: Any, prepared: CodeType) -> CodeType:
    *consts, (signal, probes, _) = prepared.co_consts
    consts = [_with_probes(measured, each) if isinstance(each, CodeType) else each for each in consts]
    consts[signal] = probe.signal
    for _, seen, place in probes:
        consts[place] = probe.new(measured, prepared.co_filename, seen, CALLS)
    code = prepared.replace(co_consts=tuple(consts))
    measured.code2index[code] = [(offset, seen) for offset, seen, _ in probes]
    return code


def _count(measured: Any, prepared: CodeType) -> None:
    """Note which lines and branches a module has."""
    *_, (_, _, (lines, branches)) = prepared.co_consts
    measured.code_lines[prepared.co_filename].update(lines)
    measured.code_branches[prepared.co_filename].update(branches)


def _sources() -> Iterator[str]:
    return (str(path) for room in SOURCES for path in Path(room).absolute().rglob("*.py"))


def _prepared(path: str) -> CodeType:
    code = _PreparedLoader(path, path).get_code(path)
    assert code is not None
    return code
