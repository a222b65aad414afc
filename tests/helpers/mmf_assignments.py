"""Find statements of a package that assign an attribute of a class or module of MMF.

Names are followed through imports, assignments, loops, arguments and return values, ignoring their
order. A call returns an instance, unless it is known to return a class or a module.
"""

import ast
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

_MMF = re.compile(r"mmf(_cli)?(\.|$)")
_SETTERS = ("setattr", "delattr", "__setattr__", "__delattr__", "replace_function")
_GIVES_CLASS = re.compile(r"\w*class")
# Methods of containers, and builtins that return their argument or its items
_OF_CONTAINER = ("values", "items", "get", "pop", "copy", "setdefault")
_PASSES_ON = ("getattr", "vars", "list", "tuple", "reversed", "iter", "next", "cast")
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)

MMF = "mmf"


@dataclass
class Scope:
    """A module, class or function, and the values of its names."""

    module: "Module"
    outer: "Scope | None" = None
    is_class: bool = False
    names: dict[str, list[Any]] = field(default_factory=dict)
    returns: list[ast.expr] = field(default_factory=list)
    parameters: list[str] = field(default_factory=list)

    def bind(self, name: str, value: Any) -> None:
        self.names.setdefault(name, []).append(value)


@dataclass
class Module:
    """A module of the package: its tree and the scope of each node."""

    name: str
    tree: ast.Module
    scopes: dict[ast.AST, Scope] = field(default_factory=dict)
    functions: dict[ast.AST, Scope] = field(default_factory=dict)

    @cached_property
    def scope(self) -> Scope:
        scope = Scope(self)
        for child in ast.iter_child_nodes(self.tree):
            self._visit(child, scope)
        return scope

    def _visit(self, node: ast.AST, scope: Scope) -> None:
        self.scopes[node] = scope
        inner = scope
        if isinstance(node, (*_FUNCTIONS, ast.ClassDef)):
            inner = Scope(self, scope, isinstance(node, ast.ClassDef))
        if isinstance(node, _FUNCTIONS):
            self.functions[node] = inner
            given = [*node.args.posonlyargs, *node.args.args]
            inner.parameters = [each.arg for each in given]
            for each in (*given, *node.args.kwonlyargs):
                inner.names.setdefault(each.arg, [])
            for each, default in zip(given[::-1], node.args.defaults[::-1], strict=False):
                inner.bind(each.arg, (default, scope))
            if isinstance(node, ast.Lambda):
                inner.returns.append(node.body)
            else:
                scope.bind(node.name, inner)
        elif isinstance(node, ast.ClassDef):
            scope.bind(node.name, None)
        elif isinstance(node, ast.Import):
            for each in node.names:
                scope.bind(each.asname or each.name.partition(".")[0], each.name)
        elif isinstance(node, ast.ImportFrom):
            for each in node.names:
                scope.bind(each.asname or each.name, f"{node.module}:{each.name}")
        elif isinstance(node, ast.Assign):
            for target in node.targets:
                _bind(scope, target, node.value)
        elif isinstance(node, (ast.AnnAssign, ast.NamedExpr)) and node.value is not None:
            _bind(scope, node.target, node.value)
        elif isinstance(node, (ast.For, ast.AsyncFor, ast.comprehension)):
            _bind(scope, node.target, node.iter)
        elif isinstance(node, ast.withitem) and node.optional_vars is not None:
            _bind(scope, node.optional_vars, node.context_expr)
        elif isinstance(node, ast.Return) and node.value is not None:
            scope.returns.append(node.value)
        for child in ast.iter_child_nodes(node):
            self._visit(child, inner)


def _bind(scope: Scope, target: ast.expr, value: ast.expr) -> None:
    if isinstance(target, ast.Name):
        scope.bind(target.id, (value, scope))
    elif isinstance(target, (ast.Tuple, ast.List)):
        parts = getattr(value, "elts", None)
        same = parts is not None and len(parts) == len(target.elts)
        given = parts if same else [value] * len(target.elts)
        for each, part in zip(target.elts, given, strict=True):
            _bind(scope, each, part)


class Package:
    """The package to check.

    Args:
        sources: dotted name of each module -> its text.
    """

    def __init__(self, sources: Mapping[str, str]):
        self.modules = {name: Module(name, ast.parse(text)) for name, text in sources.items()}
        for module in self.modules.values():
            _ = module.scope
        parts = [name.split(".") for name in sources]
        self._packages = {".".join(each[:n]) for each in parts for n in range(1, len(each) + 1)}
        self._bind_arguments()

    def assignments(self) -> Iterator[tuple[str, int, str]]:
        """Yield module, line and statement of each assignment to an attribute of MMF."""
        for module in self.modules.values():
            for node, scope in module.scopes.items():
                if any(MMF in self._values(each, scope) for each in _owners(node)):
                    yield module.name, node.lineno, ast.unparse(node)

    def _bind_arguments(self) -> None:
        """Bind parameters to the arguments of calls in the package."""
        for module in self.modules.values():
            for node, scope in module.scopes.items():
                if not isinstance(node, ast.Call):
                    continue
                for function in self._values(node.func, scope):
                    if not isinstance(function, _Function):
                        continue
                    names = function.scope.parameters
                    if isinstance(node.func, ast.Attribute) and names[:1] in (["self"], ["cls"]):
                        names = names[1:]
                    for name, value in zip(names, node.args, strict=False):
                        function.scope.bind(name, (value, scope))
                    for each in node.keywords:
                        if each.arg in function.scope.names:
                            function.scope.bind(each.arg, (each.value, scope))

    def _values(self, node: Any, scope: Scope, seen: frozenset = frozenset()) -> set[Any]:
        """Return the possible values of an expression: MMF, or parts of the package."""
        if (id(node), id(scope)) in seen:
            return set()
        seen |= {(id(node), id(scope))}

        def values(*nodes: Any) -> set[Any]:
            return {found for each in nodes for found in self._values(each, scope, seen)}

        if isinstance(node, ast.Name):
            return self._named(node.id, scope, seen)
        if isinstance(node, ast.Attribute):
            owners = values(node.value)
            found = {MMF} & owners
            for owner in owners:
                if isinstance(owner, _Module):
                    found |= self._member(owner.name, node.attr, seen)
            return found
        if isinstance(node, ast.Call):
            return self._called(node, scope, values, seen)
        if isinstance(node, ast.Subscript):
            of_modules = ast.unparse(node.value) == "sys.modules" and _is_mmf(node.slice)
            return {MMF} if of_modules else values(node.value)
        if isinstance(node, (ast.Tuple, ast.List, ast.Set)):
            return values(*node.elts)
        if isinstance(node, ast.Dict):
            return values(*node.values, *filter(None, node.keys))
        if isinstance(node, ast.IfExp):
            return values(node.body, node.orelse)
        if isinstance(node, ast.BoolOp):
            return values(*node.values)
        if isinstance(node, (ast.NamedExpr, ast.Starred, ast.Await)):
            return values(node.value)
        if isinstance(node, (ast.ListComp, ast.SetComp, ast.GeneratorExp)):
            return values(node.elt)
        if isinstance(node, ast.Lambda):
            return {_Function(scope.module.functions[node])}
        return set()

    def _called(self, node: ast.Call, scope: Scope, values: Any, seen: frozenset) -> set[Any]:
        name = getattr(node.func, "attr", getattr(node.func, "id", ""))
        if name in ("import_module", "__import__", "reload") and node.args:
            return {MMF} if _is_mmf(node.args[0]) else values(node.args[0]) & {MMF}
        if name in _PASSES_ON:
            return values(*node.args)
        owners = values(node.func)
        found: set[Any] = set()
        for owner in owners:
            if isinstance(owner, _Function):
                for each in owner.scope.returns:
                    found |= self._values(each, owner.scope, seen)
        if isinstance(node.func, ast.Attribute) and name in _OF_CONTAINER:
            found |= values(node.func.value)
        if MMF in owners and _GIVES_CLASS.fullmatch(name):
            found.add(MMF)
        return found

    def _named(self, name: str, scope: Scope | None, seen: frozenset) -> set[Any]:
        first = scope
        while scope is not None:
            if name in scope.names and (scope is first or not scope.is_class):
                return {
                    found for value in list(scope.names[name]) for found in self._bound(value, seen)
                }
            scope = scope.outer
        return set()

    def _bound(self, value: Any, seen: frozenset) -> set[Any]:
        if isinstance(value, Scope):
            return {_Function(value)}
        if isinstance(value, tuple):
            return self._values(*value, seen)
        if not isinstance(value, str):
            return set()
        module, _, member = value.partition(":")
        if _MMF.match(module):
            return {MMF}
        if member:
            return self._member(module, member, seen)
        return {_Module(module.partition(".")[0])}

    def _member(self, module: str, name: str, seen: frozenset) -> set[Any]:
        if f"{module}.{name}" in self._packages:
            return {_Module(f"{module}.{name}")}
        if module not in self.modules or (module, name) in seen:
            return set()
        return self._named(name, self.modules[module].scope, seen | {(module, name)})


@dataclass(frozen=True, eq=False)
class _Function:
    scope: Scope

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Function) and other.scope is self.scope

    def __hash__(self) -> int:
        return id(self.scope)


@dataclass(frozen=True)
class _Module:
    name: str


def _owners(node: ast.AST) -> Iterator[ast.expr]:
    """Yield the objects whose attributes a statement or call assigns or deletes."""
    targets: list[ast.expr] = []
    if isinstance(node, (ast.Assign, ast.Delete)):
        targets = list(node.targets)
    elif isinstance(node, (ast.AugAssign, ast.For, ast.comprehension)) or (
        isinstance(node, ast.AnnAssign) and node.value is not None
    ):
        targets = [node.target]
    elif isinstance(node, ast.withitem) and node.optional_vars is not None:
        targets = [node.optional_vars]
    while targets:
        target = targets.pop()
        if isinstance(target, (ast.Tuple, ast.List)):
            targets += target.elts
        elif isinstance(target, ast.Starred):
            targets.append(target.value)
        elif isinstance(target, ast.Attribute):
            yield target.value
        elif isinstance(target, ast.Subscript):
            owner = _dictionary(target.value)
            if owner is not None:
                yield owner
    if isinstance(node, ast.Call):
        name = getattr(node.func, "attr", getattr(node.func, "id", ""))
        if name in _SETTERS:
            yield from node.args[:1]
            if isinstance(node.func, ast.Attribute):
                yield node.func.value
        elif name in ("update", "pop", "setdefault", "clear"):
            owner = _dictionary(getattr(node.func, "value", node))
            if owner is not None:
                yield owner


def _dictionary(node: ast.expr) -> ast.expr | None:
    """Return the object of `vars(object)` or `object.__dict__`."""
    if isinstance(node, ast.Attribute) and node.attr == "__dict__":
        return node.value
    if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "vars" and node.args:
        return node.args[0]
    return None


def _is_mmf(node: ast.expr) -> bool:
    """Return whether a string, or the beginning of a formatted one, names MMF or a module of it."""
    if isinstance(node, ast.JoinedStr) and node.values:
        node = node.values[0]
    text = getattr(node, "value", None)
    return isinstance(text, str) and bool(_MMF.match(text))
