"""Cloud Logging's entries: written, listed, filtered and paged as the published API says.

https://cloud.google.com/logging/docs/reference/v2/rpc/google.logging.v2. One project, ``local``.
Every entry of a request has its own fate when ``partial_success`` is asked for. Entries older than
30 days are taken and not kept; of those with the same insert id and time, one is shown. Of the
query language, :mod:`.grammar` says what is known here; all else is refused.

Simulated: never compared with Google's servers, and nothing here was tested on Google.
"""
