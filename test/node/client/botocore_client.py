# A pod's first instruction with AWS's library for Python. Leaves the access key's ID in the file that it is told.
import sys

import botocore.session

credentials = botocore.session.get_session().get_credentials()
with open(sys.argv[1], "w") as left:
    left.write("none" if credentials is None else credentials.get_frozen_credentials().access_key)
