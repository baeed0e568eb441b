"""Between JSON, in which tests write answers and read what arrived, and psrpcore's types."""

import base64
import hashlib
import uuid

import psrpcore.types as types
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import pkcs12
from psrpcore.types import PSNoteProperty, PSObject


def value_of(given):
    """A value for psrpcore: texts, truth values, whole numbers and null as they are, lists, or an object of one form."""
    if isinstance(given, bool) or given is None:
        return given
    if isinstance(given, int):
        return types.PSInt(given)
    if isinstance(given, str):
        return types.PSString(given)
    if isinstance(given, list):
        return types.PSList([value_of(one) for one in given])
    if "bytes" in given:
        return types.PSByteArray(base64.b64decode(given["bytes"]))
    if "secret" in given:
        return types.PSSecureString(given["secret"])
    if "guid" in given:
        return types.PSGuid(given["guid"])
    if "long" in given:
        return types.PSString(given["long"] * given["times"])
    return object_of(given)


def object_of(given):
    """`types`, `text` (ToString), `properties` (of the .NET object), `notes` (added by PowerShell)."""
    made = PSObject()
    made.PSObject.type_names = list(given.get("types", []))
    made.PSObject.to_string = given.get("text")
    for name, value in given.get("properties", {}).items():
        made.PSObject.adapted_properties.append(PSNoteProperty(name, value=value_of(value)))
    for name, value in given.get("notes", {}).items():
        made.PSObject.extended_properties.append(PSNoteProperty(name, value=value_of(value)))
    return made


def error_record(given):
    exception = types.NETException(Message=given["message"])
    exception.PSObject.type_names = [*given.get("types", []), *exception.PSObject.type_names]
    details = given.get("details")
    return types.ErrorRecord(
        Exception=exception,
        CategoryInfo=types.ErrorCategoryInfo(
            Category=types.ErrorCategory[given.get("category", "NotSpecified")],
            Activity=given.get("activity"),
            Reason=given.get("reason"),
            TargetName=given.get("targetName"),
            TargetType=given.get("targetType"),
        ),
        TargetObject=value_of(given.get("target")),
        FullyQualifiedErrorId=given.get("id"),
        ErrorDetails=None if details is None else types.ErrorDetails(Message=details),
    )


def described(value):
    """What arrived, for JSON: plain values with the name of psrpcore's type."""
    if value is None:
        return {"type": "null"}
    kind = type(value).__name__
    if isinstance(value, types.PSSecureString):
        return {"type": kind, "value": str(value.decrypt())}
    if isinstance(value, bytes):
        digest = hashlib.sha256(value).hexdigest()
        return {"type": kind, "value": base64.b64encode(value).decode(), "sha256": digest, "length": len(value)}
    if isinstance(value, bool):
        return {"type": kind, "value": value}
    if isinstance(value, list):
        return {"type": kind, "value": [described(one) for one in value], "names": names_of(value)}
    if isinstance(value, dict):
        return {"type": kind, "value": {str(key): described(one) for key, one in value.items()}}
    if isinstance(value, int):
        return {"type": kind, "value": int(value)}
    if isinstance(value, (str, uuid.UUID)):
        return {"type": kind, "value": str(value)}
    return {"type": kind, "text": str(value), "names": names_of(value)}


def names_of(value):
    return list(value.PSObject.type_names) if isinstance(value, PSObject) else []


def parameters_of(command):
    """Parameters by name. A PFX with its password is opened, as the server would do it."""
    found = {}
    for name, value in command.parameters:
        found[str(name)] = described(value)
    values = dict(command.parameters)
    if "FileData" in values and "Password" in values:
        found["(opened)"] = opened(bytes(values["FileData"]), str(values["Password"].decrypt()))
    return found


def opened(pfx, password):
    try:
        key, certificate, others = pkcs12.load_key_and_certificates(pfx, password.encode())
    except ValueError as error:
        return {"problem": str(error)}
    return {
        "thumbprint": certificate.fingerprint(hashes.SHA1()).hex().upper(),
        "keyFits": key.public_key() == certificate.public_key(),
        "others": len(others),
    }
