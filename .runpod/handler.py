"""Stands here because RunPod's hub looks for a handler. The handler is the program itself, which needs no Python: it takes
jobs from RunPod's queue when RunPod starts it, and the image starts it directly.
"""

import os

if __name__ == "__main__":
    os.execvp("runpod-query", ["runpod-query", "serve"])
