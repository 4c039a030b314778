"""mitmproxy's own imports warn (pyparsing, pyasn1); once imported, warnings are errors again."""

import warnings

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)
    import mitmproxy.addons
    import mitmproxy.tools.dump  # noqa: F401
