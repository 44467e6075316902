"""The Upload scalar: a file of a multipart request, in the place that the request's map gives it.

The scalar only ever accepts what the server put there itself. A string or a literal in its place is refused as the
input that it is, and nobody can read the file's bytes off a JSON body.
"""

from __future__ import annotations

from typing import Any, NewType

import strawberry
from graphql import GraphQLError
from starlette.datastructures import UploadFile

Upload = NewType("Upload", UploadFile)
"""The annotation of an input field or argument that takes a file; its value is Starlette's `UploadFile`."""


def _parse(value: object) -> UploadFile:
    if not isinstance(value, UploadFile):
        raise GraphQLError("Upload cannot represent a value: send a file by graphql-multipart-request-spec.")
    return value


def _refuse(*_: Any) -> None:
    raise GraphQLError("Upload is an input: it cannot be written as a literal, nor be answered.")


UPLOAD = strawberry.scalar(
    name="Upload",
    description="A file, sent by a multipart request; it is a variable whose value in `operations` is null.",
    specified_by_url="https://github.com/jaydenseric/graphql-multipart-request-spec",
    serialize=_refuse,
    parse_value=_parse,
    parse_literal=_refuse,
)
"""The definition: `StrawberryConfig(scalar_map={Upload: UPLOAD})`."""
