"""A process with two copies of the library, its shared library and the Python module: they meet on one store.

    python copies.py PATH/libatlas_postbooking.so DIRECTORY CONFIG REQUEST

The first copy opens the case in a thread. After a line on stdin the second opens it too, and looks at it. Prints three
replies, a line each: of the second's open and get, and of the first. Standard library only.
"""

import sys
import threading

from worker import by_ctypes, by_module


def main() -> None:
    library, directory, config, request = sys.argv[1:]
    first, second = by_ctypes(library), by_module(directory)
    replies: list[bytes] = []
    thread = threading.Thread(target=lambda: replies.append(first(config.encode(), b"case.open", request.encode(), b"")))
    thread.start()
    sys.stdin.readline()
    for operation in (b"case.open", b"case.reconcile"):
        print(second(config.encode(), operation, request.encode() if operation == b"case.open" else b'{"key":"k"}', b'{"timeoutMs":400}').decode())
    thread.join()
    print(replies[0].decode())


if __name__ == "__main__":
    main()
