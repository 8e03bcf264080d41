# A pod's first instruction with Google's library for Python. Leaves the token in the file that it is told.
import sys

import google.auth
from google.auth.transport.requests import Request

credentials, _ = google.auth.default(scopes=["https://www.googleapis.com/auth/cloud-platform"])
credentials.refresh(Request())
with open(sys.argv[1], "w") as left:
    left.write(credentials.token)
