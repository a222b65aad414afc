"""Read an HTTP response and its body with timeouts that always apply.

A slow server can keep a connection open forever by sending single bytes, in headers too, which no
socket timeout ends. So a thread reads, and the caller waits with its own timeout.
"""

import queue
import threading
from collections.abc import Generator, Iterator, Mapping
from contextlib import suppress
from http import HTTPStatus
from http.client import HTTPException
from typing import Any
from urllib.parse import urljoin, urlsplit

import requests
import urllib3

from mmf_cmsbert.errors import DataError

# Seconds to connect, and between two reads.
TIMEOUTS = (10, 60)
_MOST_REDIRECTS = 5
_REDIRECTS = (
    HTTPStatus.MOVED_PERMANENTLY,
    HTTPStatus.FOUND,
    HTTPStatus.SEE_OTHER,
    HTTPStatus.TEMPORARY_REDIRECT,
    HTTPStatus.PERMANENT_REDIRECT,
)
# Errors of a server's response or address that requests does not wrap.
_NOT_WRAPPED = (urllib3.exceptions.HTTPError, HTTPException, ValueError)
# Chunks that are buffered.
_WAITING = 4


class TooSlow(Exception):
    """No data arrived in time."""


class ResponseBody:
    """A running request; a context manager that ends it on exit.

    Args:
        address: an ``http`` or ``https`` address.
        headers: headers of the request.
        chunk: bytes in a chunk; the last one may be shorter.
    """

    def __init__(self, address: str, headers: Mapping[str, str], chunk: int):
        self._arrived: queue.Queue[tuple[str, Any]] = queue.Queue(_WAITING)
        self._ended = threading.Event()
        # A daemon thread, so that an endless response does not prevent the command from ending.
        threading.Thread(target=self._read, args=(address, headers, chunk), daemon=True).start()

    def __enter__(self) -> "ResponseBody":
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()

    def answer(self, seconds: float) -> requests.Response:
        """Return the response with status and headers, its body unread.

        Raises:
            TooSlow: they did not arrive in time.
            DataError: the server redirects to an address that is not followed.
            requests.RequestException: the connection failed.
        """
        return self._next(seconds)[1]

    def chunk(self, seconds: float) -> bytes:
        """Return the next chunk of the body, empty at its end.

        Raises:
            TooSlow: it was not complete in time.
            requests.RequestException: the connection failed.
        """
        return self._next(seconds)[1]

    def _next(self, seconds: float) -> tuple[str, Any]:
        try:
            kind, value = self._arrived.get(timeout=max(seconds, 0))
        except queue.Empty as error:
            raise TooSlow from error
        if kind == "error":
            raise value
        return kind, value

    def _read(self, address: str, headers: Mapping[str, str], chunk: int) -> None:
        try:
            with _Session() as session, _get(session, address, headers) as answer:
                self._hand_over("answer", answer)
                for each in self._body(answer, chunk):
                    self._hand_over("chunk", each)
            self._hand_over("chunk", b"")
        except _Ended:
            pass
        except BaseException as error:  # raised in the waiting thread
            if isinstance(error, _NOT_WRAPPED) and not isinstance(error, requests.RequestException):
                error = requests.ConnectionError(f"{type(error).__name__}: {error}"[:300])
            with suppress(_Ended):
                self._hand_over("error", error)

    def _body(self, answer: requests.Response, chunk: int) -> Iterator[bytes]:
        if answer.status_code in (HTTPStatus.OK, HTTPStatus.PARTIAL_CONTENT):
            yield from answer.iter_content(chunk)

    def _hand_over(self, kind: str, value: Any) -> None:
        while not self._ended.is_set():
            try:
                self._arrived.put((kind, value), timeout=0.1)
                return
            except queue.Full:
                pass
        raise _Ended


class _Ended(Exception):
    """The stream is no longer read."""


class _Session(requests.Session):
    """Does not follow redirections, because requests reads their bodies, which may never end."""

    def resolve_redirects(
        self, *_args: Any, **_kwargs: Any
    ) -> Generator[requests.Response, None, None]:
        yield from ()


def _get(session: _Session, address: str, headers: Mapping[str, str]) -> requests.Response:
    """Return the response after all redirections, whose bodies are not read."""
    for _ in range(_MOST_REDIRECTS + 1):
        answer = session.get(
            address, headers=headers, stream=True, timeout=TIMEOUTS, allow_redirects=False
        )
        if answer.status_code not in _REDIRECTS or "Location" not in answer.headers:
            return answer
        answer.close()
        target = urljoin(address, answer.headers["Location"])
        _check_redirect(address, target)
        address = target
    raise requests.exceptions.TooManyRedirects(f"more than {_MOST_REDIRECTS} redirections")


def _check_redirect(address: str, target: str) -> None:
    before, after = (urlsplit(each).scheme.lower() for each in (address, target))
    if after not in ("http", "https") or (before, after) == ("https", "http"):
        raise DataError(
            f"{address}: the server redirects to {target[:200]!r}; only http and https are "
            "followed, and from https only https"
        )
