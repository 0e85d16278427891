"""The tests' own rule: no gateway is called while a transaction of the ledger is open in the same thread."""

import threading
from collections.abc import Callable
from functools import wraps
from inspect import isroutine
from typing import Any

from sqlalchemy import event
from sqlalchemy.orm import Session, SessionTransaction, sessionmaker

_here = threading.local()


class CalledInTransaction(AssertionError):
    """A gateway was called while a transaction was open: whoever waits for the ledger would wait for it too."""


def watch(sessions: sessionmaker[Session]) -> None:
    """Count the transactions that are open in each thread."""
    event.listen(sessions, "after_transaction_create", _opened)
    event.listen(sessions, "after_transaction_end", _ended)


def _opened(session: Session, transaction: SessionTransaction) -> None:
    if transaction.parent is None:
        _here.open = getattr(_here, "open", 0) + 1


def _ended(session: Session, transaction: SessionTransaction) -> None:
    if transaction.parent is None:
        _here.open = getattr(_here, "open", 0) - 1


class Outside:
    """A gateway whose methods refuse to be called in a transaction; its attributes are the gateway's own."""

    def __init__(self, gateway: Any) -> None:
        object.__setattr__(self, "_gateway", gateway)

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._gateway, name)
        return _refusing(type(self._gateway).__name__, found) if isroutine(found) else found

    def __setattr__(self, name: str, value: Any) -> None:
        setattr(self._gateway, name, value)

    def __delattr__(self, name: str) -> None:
        delattr(self._gateway, name)


def _refusing(gateway: str, method: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(method)
    def refuse(*args: Any, **kwargs: Any) -> Any:
        if getattr(_here, "open", 0):
            raise CalledInTransaction(f"{gateway}.{getattr(method, '__name__', method)} in a transaction: ask it first")
        return method(*args, **kwargs)

    return refuse
