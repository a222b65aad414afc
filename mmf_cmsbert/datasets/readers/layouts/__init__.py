"""The layouts that are read: each module registers one. A module that is added here is found."""
