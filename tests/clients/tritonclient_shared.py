"""What the checks of the Python tritonclient have in common over HTTP and gRPC."""
import sys

from tritonclient.utils import InferenceServerException


def refused(status, words, call, *arguments, **options):
    try:
        call(*arguments, **options)
    except InferenceServerException as error:
        assert error.status() == status, error
        assert words in error.message(), error
        return
    raise AssertionError(f"{call.__name__} was not refused")


def run(connect, checks):
    """Connects to HOST:PORT of the command line, and calls each check with the client, MODEL and PHOTO's bytes."""
    address, model, photo_path = sys.argv[1:]
    with open(photo_path, "rb") as file:
        photo = file.read()
    with connect(address) as client:
        for check in checks:
            check(client, model, photo)
    print("ok")
