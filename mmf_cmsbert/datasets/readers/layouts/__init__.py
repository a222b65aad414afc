"""The layouts: each module registers one. Modules added to this folder are found automatically."""
