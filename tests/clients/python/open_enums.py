"""A plugin of ariadne-codegen: a value that a later version of haru adds is taken as it is, instead of refused."""

import ast

from ariadne_codegen import Plugin

MISSING = """
@classmethod
def _missing_(cls, value):
    if not isinstance(value, str):
        return None
    member = str.__new__(cls, value)
    member._name_ = member._value_ = value
    return member
"""


class OpenEnums(Plugin):
    def generate_enum(self, class_def: ast.ClassDef, enum_type: object) -> ast.ClassDef:
        class_def.body += ast.parse(MISSING).body
        return class_def
