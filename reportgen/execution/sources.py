"""The source text behind an instructor's own `build = "module:function"`, as one hash."""

from __future__ import annotations

import ast
import hashlib
from importlib.util import find_spec
from pathlib import Path

from reportgen.errors import LabError


def source_sha256(module: str, folder: Path | None) -> str:
    """Hash a module's source and that of all it imports from beside the lab, at any depth.

    A module that lies elsewhere is hashed with its whole package. Weights or settings that the code reads
    from other files are not seen.
    """
    files = _beside(module, folder) if folder is not None else {}
    if not files:
        files = _installed(module)
    digest = hashlib.sha256()
    for name in sorted(files):
        digest.update(f"{name} {len(files[name])}\n".encode())
        digest.update(files[name])
    return digest.hexdigest()


def _beside(module: str, folder: Path) -> dict[str, bytes]:
    """Follow the imports of a module through the files beside a lab; gives name to content."""
    found: dict[str, bytes] = {}
    wanted = [module.partition(".")[0]]
    while wanted:
        name = wanted.pop()
        for path in _files(folder, name):
            relative = path.relative_to(folder).as_posix()
            if relative not in found:
                found[relative] = _read(path)
                wanted += _imported(found[relative])
    return found


def _files(folder: Path, name: str) -> list[Path]:
    if (folder / f"{name}.py").is_file():
        return [folder / f"{name}.py"]
    package = folder / name
    return sorted(path for path in package.rglob("*.py") if path.is_file())


def _imported(source: bytes) -> list[str]:
    """List the top-level names that a source imports; none where it is no Python, which training reports."""
    try:
        nodes = list(ast.walk(ast.parse(source)))
    except (SyntaxError, ValueError):
        return []
    plain = [alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names]
    from_ = [node.module for node in nodes if isinstance(node, ast.ImportFrom) and node.module]
    return [name.partition(".")[0] for name in (*plain, *from_)]


def _installed(module: str) -> dict[str, bytes]:
    try:
        spec = find_spec(module.partition(".")[0])
    except (ImportError, ValueError):
        spec = None
    if spec is None or spec.origin is None:
        return {}
    origin = Path(spec.origin)
    if spec.submodule_search_locations is None:
        return {origin.name: _read(origin)} if origin.is_file() else {}
    root = origin.parent
    paths = sorted(path for path in root.rglob("*.py") if path.is_file())
    return {path.relative_to(root).as_posix(): _read(path) for path in paths}


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise LabError(f"{path}: cannot be read: {error.strerror}; a variant is built from it") from None
