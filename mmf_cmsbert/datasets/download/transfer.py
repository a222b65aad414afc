"""Download one file over HTTP, and resume an interrupted download."""

import json
import shutil
import time
from collections.abc import Callable
from dataclasses import asdict
from http import HTTPStatus
from pathlib import Path
from typing import Any, NoReturn

import requests
from tqdm import tqdm

from mmf_cmsbert.datasets.download.limits import LimitReached, Limits, TooLong
from mmf_cmsbert.datasets.download.origin import (
    Origin,
    announced_size,
    continues,
    length_of,
    origin_file,
    read_origin,
    version_of,
)
from mmf_cmsbert.datasets.download.response import TIMEOUTS, ResponseBody, TooSlow
from mmf_cmsbert.errors import DataError
from mmf_cmsbert.files import WriteError

# Tries without a new chunk; seconds before the second try, doubled each time.
_TRIES, _PAUSE = 4, 1.0
# The most bytes that a broken connection loses.
_CHUNK = 1 << 16
# Timeout in seconds for the headers, and for each chunk.
_PATIENCE = 90
# Errors that another try would repeat.
_FINAL = (
    requests.exceptions.SSLError,
    requests.exceptions.ProxyError,
    requests.exceptions.TooManyRedirects,
    requests.exceptions.InvalidURL,
    requests.exceptions.MissingSchema,
    requests.exceptions.InvalidSchema,
)


class _Again(Exception):
    """This try failed; another one may succeed."""


def fetch(
    address: str,
    part: Path,
    begins: bytes,
    progress: bool | None = None,
    limits: Limits | None = None,
) -> None:
    """Download a complete file to ``part``, resuming an earlier call.

    A download is only resumed if the server says that the file is unchanged. Otherwise, or if the
    server does not support ranges, it starts again. ``<part>.json`` records the file's origin.

    Args:
        address: the file's address, ``http`` or ``https``.
        part: the file to write.
        begins: the bytes that every such file begins with. Anything else, such as an HTML page
            sent instead of the file, is refused before it is downloaded.
        progress: whether to show a bar; None shows it on a terminal only.
        limits: limits of time and size; None for the defaults.

    Raises:
        DataError: the download failed. A partial file is kept if it can be resumed.
    """
    limits = limits or Limits()
    tries = 0
    while True:
        before = length_of(part)
        try:
            if tries:
                time.sleep(min(_PAUSE * 2 ** (tries - 1), limits.seconds_left()))
            return _fetch(address, part, begins, progress, limits)
        except TooLong as error:
            discard(part)
            raise TooLong(f"{address}: {error}") from error
        except LimitReached as error:
            if not can_go_on(part, address):
                discard(part)
            raise LimitReached(f"{address}: {error}") from error
        except (_Again, requests.RequestException, OSError) as error:
            # requests' errors are OSErrors too; the other OSErrors are disk errors.
            if isinstance(error, OSError) and not isinstance(error, requests.RequestException):
                raise WriteError(part, error) from error
            tries = 1 if length_of(part) >= before + _CHUNK else tries + 1
            if tries == _TRIES or isinstance(error, _FINAL):
                raise DataError(f"{address}: {_reason(error)}") from error


def forget(part: Path) -> None:
    """Make the next :func:`fetch` start again; until then ``part`` is kept."""
    origin_file(part).unlink(missing_ok=True)


def can_go_on(part: Path, address: str) -> bool:
    """Return whether the next :func:`fetch` resumes ``part``."""
    return length_of(part) > 0 and read_origin(part, address).version is not None


def discard(part: Path) -> None:
    """Remove a partial file that is wrong or cannot be resumed."""
    forget(part)
    part.unlink(missing_ok=True)


def _fetch(address: str, part: Path, begins: bytes, progress: bool | None, limits: Limits) -> None:
    origin = read_origin(part, address)
    have = length_of(part) if origin.version else 0
    if have and have == origin.size:
        return
    # A compressed response differs in length from the file.
    headers = {"Accept-Encoding": "identity"}
    if have and origin.version:
        headers |= {"Range": f"bytes={have}-", "If-Range": origin.version}
    with ResponseBody(address, headers, _CHUNK) as stream:
        answer = _waited(stream.answer, "an answer", limits)
        if answer.status_code == HTTPStatus.PARTIAL_CONTENT and have:
            if not continues(answer, have, origin):
                forget(part)
                raise _Again("the server sent another range than requested")
        elif answer.status_code == HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE and have:
            forget(part)
            raise _Again("the file on the server is shorter than the part downloaded before")
        elif answer.status_code == HTTPStatus.OK:
            have, origin = 0, Origin(address, version_of(answer), announced_size(answer))
        else:
            _refuse(answer)
        _check_encoding(answer)
        limits.check_room_for((origin.size or 0) - have)
        _check_room(part, have, origin)
        _write(stream, answer, part, have, origin, begins, progress, limits)
    if origin.size is not None and length_of(part) != origin.size:
        raise _Again(f"the connection ended after {length_of(part):,} of {origin.size:,} bytes")


def _waited(read: Callable[[float], Any], what: str, limits: Limits) -> Any:
    """Call ``read`` with a timeout and return its result."""
    try:
        return read(min(_PATIENCE, limits.seconds_left()))
    except TooSlow as error:
        limits.seconds_left()  # raises if the time limit has passed
        raise _Again(f"the server is too slow: {what} took over {_PATIENCE:g} s") from error


def _write(
    stream: ResponseBody,
    answer: requests.Response,
    part: Path,
    have: int,
    origin: Origin,
    begins: bytes,
    progress: bool | None,
    limits: Limits,
) -> None:
    what = f"{_CHUNK:,} bytes"
    chunk = _waited(stream.chunk, what, limits)
    # Checked before writing, so that a log-in page does not overwrite the partial file.
    if not have and not chunk.startswith(begins):
        kind = answer.headers.get("Content-Type", "no type")
        raise DataError(
            f"{origin.address}: the server did not send the file, but {_printable(kind)} "
            f"beginning {chunk[:40]!r}"
        )
    bar = tqdm(
        desc=part.stem,
        initial=have,
        total=origin.size,
        unit="B",
        unit_scale=True,
        disable=None if progress is None else not progress,
    )
    forget(part)
    with open(part, "r+b" if have else "wb") as file, bar:
        file.seek(have)
        # From here on the note describes the bytes in the file.
        origin_file(part).write_text(json.dumps(asdict(origin)), encoding="utf-8")
        while chunk:
            if origin.size is not None and file.tell() + len(chunk) > origin.size:
                raise TooLong(f"the server sent more than the {origin.size:,} bytes of the file")
            limits.spend(len(chunk))
            file.write(chunk)
            bar.update(len(chunk))
            chunk = _waited(stream.chunk, what, limits)


def _refuse(answer: requests.Response) -> NoReturn:
    status = f"the server answered {answer.status_code} {_printable(answer.reason)}"
    if answer.status_code == HTTPStatus.TOO_MANY_REQUESTS or answer.status_code >= 500:
        raise _Again(status)
    raise DataError(f"{answer.url}: {status}")


def _printable(header: str) -> str:
    """Remove control characters from a server's text."""
    return "".join(filter(str.isprintable, header or ""))[:60]


def _check_encoding(answer: requests.Response) -> None:
    """Refuse a compressed body: it was not requested, and a small one can expand to any size."""
    encoding = answer.headers.get("Content-Encoding", "identity").strip().lower()
    if encoding not in ("", "identity"):
        raise DataError(
            f"{answer.url}: the server sent the file compressed ({_printable(encoding)}); expected "
            "it uncompressed, as requested"
        )


def _check_room(part: Path, have: int, origin: Origin) -> None:
    wanted = (origin.size or 0) - have
    # A partial file that is not resumed is overwritten, which frees its space.
    free = shutil.disk_usage(part.parent).free + (0 if have else length_of(part))
    if wanted > free:
        raise DataError(
            f"{origin.address}: {wanted:,} bytes remain to be downloaded, and {part.parent} has "
            f"{free:,} free"
        )


def _reason(error: Exception) -> str:
    if isinstance(error, _Again):
        return str(error)
    if isinstance(error, requests.exceptions.SSLError):
        return f"the server's certificate could not be checked ({_cause(error)})"
    if isinstance(error, requests.exceptions.Timeout):
        return f"no answer within {TIMEOUTS[1]} s ({_cause(error)})"
    return f"no connection ({_cause(error)})"


def _cause(error: BaseException) -> str:
    """Return the innermost message, which requests and urllib3 wrap in several others."""
    while isinstance(
        inner := getattr(error, "reason", None) or next(iter(error.args), None), BaseException
    ):
        error = inner
    return " ".join(str(error).split())[-200:]
