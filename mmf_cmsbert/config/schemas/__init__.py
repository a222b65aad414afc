"""Schemas of the configuration: keys with their types, ranges, defaults and help.

Checks, defaults and help all use these schemas. They import neither MMF nor other packages of
``mmf_cmsbert``, except ``errors``.
"""
