"""Key pairs: an account that was given public keys believes a signed token of its user and nothing else."""

from __future__ import annotations

import base64
import hashlib
from typing import Any

import jwt
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_public_key

from tools.servers.fakesnow.accounts import Account
from tools.servers.fakesnow.warehouses import Refused


def check(account: Account, data: Any) -> None:
    """Refused where the account has keys and the login is not signed with its user's."""
    if not account.keys:
        return
    user = str(data.get("LOGIN_NAME", "")).upper()
    if data.get("AUTHENTICATOR") != "SNOWFLAKE_JWT" or user not in account.keys:
        raise Refused("390100", "08001", "Incorrect username or password was specified.")
    key = load_pem_public_key(account.keys[user].encode())
    der = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    print_ = base64.b64encode(hashlib.sha256(der).digest()).decode()
    subject = f"{account.name}.{user}"
    try:
        jwt.decode(data["TOKEN"], account.keys[user], algorithms=["RS256"], issuer=f"{subject}.SHA256:{print_}",
                   subject=subject)  # fmt: skip
    except jwt.PyJWTError as error:
        raise Refused("390144", "08001", f"JWT token is invalid. {type(error).__name__}") from None
