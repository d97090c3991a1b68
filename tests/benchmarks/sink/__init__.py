"""A server that speaks enough S3, Cloud Storage and Azure Blob to measure clients against.

It keeps digests and sizes of what it receives instead of the bytes, serves synthetic objects
by ``sendfile``, and checks no signatures. One process serves one dialect, in one thread that
never blocks: nothing in it is shared, so nothing in it is locked.
"""
