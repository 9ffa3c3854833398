"""Every error of botocore as one of ours: one table by AWS's error code, one by kind of exception."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from ledger.faults import Missing, Transient, reject

if TYPE_CHECKING:
    from botocore.exceptions import ClientError

RULE = "aws-access"
LATER, GONE, REFUSED = "later", "gone", "refused"

_POLICY = (
    "Give the role what docs/aws.md names; a bucket of another account needs its bucket policy as well, and "
    "`bucket_owner`, where it is set, has to be that account."
)
_SIGN_IN = "Sign in again (such as `aws sso login`), or renew the credentials of the environment."
_KEYS = "Check the profile or the AWS_ variables of the environment; with a role, the service needs no key at all."
_TRUST = "Compare the role's trust policy with docs/aws.md: issuer, audience and subject of the token have to match."
_REGION = "Set `region` of the source to the region that the bucket lies in."
_NAME = "Check the bucket's name in `location`."

# AWS's code (or the status, where an answer has no body) -> what to do, what it means, advice.
CODES: dict[str, tuple[str, str, str]] = {
    "AccessDenied": (REFUSED, "access is denied", _POLICY),
    "AccessDeniedException": (REFUSED, "access is denied", _POLICY),
    "AllAccessDisabled": (REFUSED, "access is denied", _POLICY),
    "UnauthorizedOperation": (REFUSED, "access is denied", _POLICY),
    "403": (REFUSED, "access is denied", _POLICY),
    "ExpiredToken": (REFUSED, "the credentials have expired", _SIGN_IN),
    "ExpiredTokenException": (REFUSED, "the credentials have expired", _SIGN_IN),
    "TokenRefreshRequired": (REFUSED, "the credentials have expired", _SIGN_IN),
    "InvalidAccessKeyId": (REFUSED, "AWS does not know the access key", _KEYS),
    "InvalidClientTokenId": (REFUSED, "AWS does not know the access key", _KEYS),
    "UnrecognizedClientException": (REFUSED, "AWS does not know the access key", _KEYS),
    "InvalidToken": (REFUSED, "AWS does not accept the session's token", _SIGN_IN),
    "SignatureDoesNotMatch": (REFUSED, "AWS does not accept the request's signature", _KEYS),
    "IncompleteSignature": (REFUSED, "AWS does not accept the request's signature", _KEYS),
    "RequestTimeTooSkewed": (REFUSED, "this machine's clock is wrong", "Set the clock of this machine."),
    "OptInRequired": (REFUSED, "the account is not signed up for this", "Turn the service on in the AWS console."),
    "InvalidIdentityToken": (REFUSED, "AWS does not accept the identity's token", _TRUST),
    "IDPRejectedClaim": (REFUSED, "AWS does not accept the identity's token", _TRUST),
    "IDPCommunicationError": (LATER, "AWS could not reach the identity provider", ""),
    "NoSuchBucket": (REFUSED, "there is no such bucket", _NAME),
    "InvalidBucketName": (REFUSED, "there is no such bucket", _NAME),
    "PermanentRedirect": (REFUSED, "the bucket lies in another region", _REGION),
    "AuthorizationHeaderMalformed": (REFUSED, "the bucket lies in another region", _REGION),
    "IllegalLocationConstraintException": (REFUSED, "the bucket lies in another region", _REGION),
    "301": (REFUSED, "the bucket lies in another region", _REGION),
    "InvalidObjectState": (
        REFUSED,
        "the object is archived",
        "Restore it, or let the export deliver again.",
    ),
    "NoSuchKey": (GONE, "there is no such object", ""),
    "404": (GONE, "there is no such object", ""),
    "ResourceNotFoundException": (GONE, "there is no such export", ""),
    "PreconditionFailed": (LATER, "it was restated while it was being read", ""),
    "412": (LATER, "it was restated while it was being read", ""),
    "DataUnavailableException": (LATER, "the data is not there yet", ""),
    "BillExpirationException": (REFUSED, "the bill is no longer kept", "Ask for a later month."),
    "InvalidNextTokenException": (LATER, "the answer changed while it was being read", ""),
    "RequestChangedException": (LATER, "the answer changed while it was being read", ""),
    "SlowDown": (LATER, "AWS asks for fewer requests", ""),
    "Throttling": (LATER, "AWS asks for fewer requests", ""),
    "ThrottlingException": (LATER, "AWS asks for fewer requests", ""),
    "ThrottledException": (LATER, "AWS asks for fewer requests", ""),
    "RequestLimitExceeded": (LATER, "AWS asks for fewer requests", ""),
    "LimitExceededException": (LATER, "AWS asks for fewer requests", ""),
    "TooManyRequestsException": (LATER, "AWS asks for fewer requests", ""),
    "RequestTimeout": (LATER, "the connection was too slow", ""),
    "RequestTimeoutException": (LATER, "the connection was too slow", ""),
    "ServiceUnavailable": (LATER, "the service is busy", ""),
    "InternalError": (LATER, "the service is busy", ""),
    "InternalFailure": (LATER, "the service is busy", ""),
    "InternalServerException": (LATER, "the service is busy", ""),
}

# botocore's own exceptions, which have no answer of AWS behind them, by name; the first that the error is wins.
KINDS: dict[str, tuple[str, str, str]] = {
    "NoCredentialsError": (REFUSED, "there are no credentials", _KEYS),
    "PartialCredentialsError": (REFUSED, "the credentials are incomplete", _KEYS),
    "CredentialRetrievalError": (REFUSED, "the credentials could not be had", _KEYS),
    "ProfileNotFound": (REFUSED, "there is no such profile", _KEYS),
    "SSOError": (REFUSED, "the sign-in is over", _SIGN_IN),
    "TokenRetrievalError": (REFUSED, "the sign-in is over", _SIGN_IN),
    "NoRegionError": (REFUSED, "no region is named", _REGION),
    "InvalidRegionError": (REFUSED, "the region's name is none", _REGION),
    "InvalidConfigError": (REFUSED, "the AWS configuration cannot be used", _KEYS),
    "ParamValidationError": (REFUSED, "the request is not valid", "Check bucket, prefix and export of the source."),
    "HTTPClientError": (LATER, "the connection failed", ""),
    "ConnectionError": (LATER, "the connection failed", ""),
    "IncompleteReadError": (LATER, "the connection was cut", ""),
    "FlexibleChecksumError": (LATER, "it arrived damaged", ""),
}

_SECRET = re.compile(r"\b(?:AKIA|ASIA)[A-Z0-9]{8,}|(?i:x-amz-[a-z-]+)=[^&\s]+|\?\S+")


@contextmanager
def aws_faults(what: str) -> Iterator[None]:
    """`what` is named in the fault: a place in S3, or the question that was asked."""
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        yield
    except ClientError as error:
        raise _answered(error, what) from error
    except BotoCoreError as error:
        raise _unanswered(error, what) from error


def scrubbed(text: str) -> str:
    """One line without keys, signatures and queries."""
    return _SECRET.sub("***", " ".join(text.split()))[:300]


def code_of(error: ClientError) -> str:
    return str(error.response.get("Error", {}).get("Code", ""))


def _answered(error: ClientError, what: str) -> Exception:
    """By AWS's code; one not in the table by its status: 5xx and 429 pass with time."""
    code = code_of(error)
    status = int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
    unknown = (LATER if status >= 500 or status == 429 else REFUSED, "AWS refuses the request", _POLICY)
    deed, meaning, advice = CODES.get(code, unknown)
    said = scrubbed(str(error.response.get("Error", {}).get("Message", "")))
    return _fault(deed, f"{what}: {meaning} ({code or status}{f': {said}' if said else ''})", advice)


def _unanswered(error: BaseException, what: str) -> Exception:
    names = [kind.__name__ for kind in type(error).__mro__]
    deed, meaning, advice = next((KINDS[name] for name in names if name in KINDS), (LATER, "the call failed", ""))
    return _fault(deed, f"{what}: {meaning} ({type(error).__name__})", advice)


def _fault(deed: str, text: str, advice: str) -> Exception:
    if deed == REFUSED:
        return reject(text, advice, RULE)
    return Missing(text) if deed == GONE else Transient(text)
