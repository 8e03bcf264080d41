# What a program in a pod does with azure-identity; prints what it got. Run by the tests beside it.
# Arguments: the credential, a scope and the identity's client ID, which may be empty.
import json
import sys
import time

from azure.identity import DefaultAzureCredential, ManagedIdentityCredential

kind, scope, client_id = sys.argv[1:]
if kind == "ManagedIdentityCredential":
    credential = ManagedIdentityCredential(client_id=client_id) if client_id else ManagedIdentityCredential()
else:
    credential = DefaultAzureCredential(managed_identity_client_id=client_id or None)
started = time.monotonic()
got = credential.get_token(scope)
elapsed = time.monotonic() - started
json.dump(
    {
        "token": got.token,
        "again": credential.get_token(scope).token,
        "expiresOn": got.expires_on,
        "elapsedMs": round(elapsed * 1000),
    },
    sys.stdout,
)
