"""Uploads after the graphql-multipart-request-spec: `operations`, then `map`, then the files that it names.

Files are spooled to disk beyond a megabyte and end up in the variables as Starlette's UploadFile, in the places that
the map gives and nowhere else: a place must hold null, every file must be used, every name in the map must be a file.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import Any

from starlette.datastructures import FormData, Headers, UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.types import Receive

from server.http.requests import Disconnected, refuse_declared_length, strict_json, too_large
from server.wire import bad_request

FILES = 4
PLACES_PER_FILE = 4
FIELDS = 2


async def read_form(raw_headers: list[tuple[bytes, bytes]], receive: Receive, *, at_most: int, field: int) -> FormData:
    """Read a form of at most `at_most` bytes, its `operations` and `map` at most `field` bytes each.

    The files in it are open; close the form when the operation is done. Raises: Refused (413, 400), Disconnected.
    """
    refuse_declared_length(raw_headers, at_most)
    # The parser guesses at what is not in the charset; in this one, every byte is a character, and kept for `_utf8`.
    headers = Headers({"content-type": f"{Headers(raw=raw_headers)['content-type']}; charset=latin-1"})
    parser = MultiPartParser(
        headers, _chunks(receive, at_most), max_files=FILES, max_fields=FIELDS, max_part_size=field
    )
    try:
        return await parser.parse()
    except MultiPartException as error:
        raise bad_request(f"The multipart form is malformed: {error.message}") from None


async def _chunks(receive: Receive, at_most: int) -> AsyncGenerator[bytes, None]:
    length, more = 0, True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise Disconnected
        body: bytes = message.get("body", b"")
        more = message.get("more_body", False)
        length += len(body)
        if length > at_most:
            raise too_large(at_most, unread=more)
        yield body


def operations_of(form: FormData) -> Any:
    """Put the form's files into its operations. Raises: Refused (400), when operations, map and files do not agree."""
    operations, places = _json_field(form, "operations"), _json_field(form, "map")
    if not isinstance(operations, dict):
        raise bad_request("The field 'operations' must hold one operation; batches are not served.")
    if not isinstance(places, dict) or not places:
        raise bad_request("The field 'map' must be an object that names every file.")
    files = {_utf8(name): value for name, value in form.multi_items() if isinstance(value, UploadFile)}
    if files.keys() != places.keys() or len(form.multi_items()) != len(files) + FIELDS:
        raise bad_request("The field 'map' and the files of the form do not agree.")
    for name, paths in places.items():
        if not isinstance(paths, list) or not 1 <= len(paths) <= PLACES_PER_FILE:
            raise bad_request(f"The field 'map' must give each file 1 to {PLACES_PER_FILE} places.")
        files[name].filename = _utf8(files[name].filename or "")
        for path in paths:
            _put(operations, path, files[name])
    return operations


def _json_field(form: FormData, name: str) -> Any:
    value = form.get(name)
    if not isinstance(value, str):
        raise bad_request(f"The multipart form needs the field '{name}'.")
    return strict_json(_utf8(value))


def _utf8(latin_1: str) -> str:
    """The text that bytes are, which the parser took for characters. Raises: Refused (400)."""
    try:
        return latin_1.encode("latin-1").decode()
    except UnicodeError:  # one that cannot be encoded is there where a quote that stays open hides the charset
        raise bad_request("The multipart form must be in UTF-8.") from None


def _put(operations: dict[str, Any], path: object, file: UploadFile) -> None:
    """Replace the null at `path`, which begins with `variables.`, by the file. Raises: Refused (400)."""
    keys = path.split(".") if isinstance(path, str) else []
    target: Any = operations
    if len(keys) < 2 or keys[0] != "variables":
        raise bad_request("The field 'map' must name places below 'variables'.")
    for key in keys[:-1]:
        target = _child(target, key)
    if _child(target, keys[-1]) is not None:
        raise bad_request("The field 'map' must name places that hold null.")
    target[int(keys[-1]) if isinstance(target, list) else keys[-1]] = file


def _child(target: Any, key: str) -> Any:
    if isinstance(target, dict) and key in target:
        return target[key]
    if isinstance(target, list) and key.isascii() and key.isdigit() and len(key) < 4 and int(key) < len(target):
        return target[int(key)]
    raise bad_request("The field 'map' must name places that exist.")
