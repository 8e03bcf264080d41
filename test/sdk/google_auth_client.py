# What a program in a pod does with Google's library for Python; prints what it got. Run by google-auth-python.test.ts.
import json
import sys

import google.auth
from google.auth.transport.requests import Request
from google.oauth2 import id_token

audience = sys.argv[1]
request = Request()
credentials, project = google.auth.default(scopes=["https://www.googleapis.com/auth/devstorage.read_only"])
credentials.refresh(request)
json.dump(
    {
        "kind": type(credentials).__module__ + "." + type(credentials).__name__,
        "accessToken": credentials.token,
        "email": credentials.service_account_email,
        "idToken": id_token.fetch_id_token(request, audience),
        "projectId": project,
        "universeDomain": credentials.universe_domain,
    },
    sys.stdout,
)
