# What a program in a pod does with botocore; prints what it got. Run by the tests beside it.
import json
import sys
import time

import botocore.session

session = botocore.session.get_session()
started = time.monotonic()
credentials = session.get_credentials()
if credentials is None:
    sys.exit("botocore found no credentials")
frozen = credentials.get_frozen_credentials()
elapsed = time.monotonic() - started
json.dump(
    {
        "accessKeyId": frozen.access_key,
        "secretAccessKey": frozen.secret_key,
        "sessionToken": frozen.token,
        "method": credentials.method,
        "elapsedMs": round(elapsed * 1000),
    },
    sys.stdout,
)
