"""What goes wrong, in the words and with the status codes that Qdrant's REST interface uses."""


class ApiError(Exception):
    """A failed request: its HTTP status, the text for `status.error`, and headers of its own."""

    def __init__(self, status: int, message: str, headers: dict[str, str] | None = None):
        super().__init__(message)
        self.status = status
        self.message = message
        self.headers = headers or {}


def bad_input(message: str) -> ApiError:
    return ApiError(400, f"Wrong input: {message}")


def bad_request(message: str) -> ApiError:
    return ApiError(400, f"Bad request: {message}")


def bad_format(message: str) -> ApiError:
    return ApiError(400, f"Format error in JSON body: {message}")


def invalid(message: str) -> ApiError:
    return ApiError(422, f"Validation error {message}")


def not_found(message: str) -> ApiError:
    return ApiError(404, f"Not found: {message}")


def unsupported(what: str) -> ApiError:
    return ApiError(400, f"Wrong input: {what} is not part of this stand-in for Qdrant")


_ENGINE_FAULTS = ("os error", "I/O", "IO Error", "No space", "Service runtime error", "Out of memory")


def from_engine(error: Exception) -> ApiError:
    """The engine raises plain exceptions: tell a wrong request from a fault of the server by what it says."""
    text = str(error)
    if isinstance(error, (KeyError, AttributeError)):
        return bad_format(f"missing or unknown field {text}")
    if isinstance(error, (ValueError, TypeError, OverflowError)):
        return bad_format(text)
    if text.startswith("No point with id"):
        return not_found(f"{text} found")
    if any(fault in text for fault in _ENGINE_FAULTS):
        return ApiError(500, f"Service internal error: {text}")
    return bad_input(text)
