"""Schemas of the configuration: keys with their types, ranges, defaults and help.

Whatever checks a value, fills in a default or explains a key takes it from here. The schemas know
neither MMF nor the rest of this package.
"""
