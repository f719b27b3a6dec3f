"""A package of somebody who is not us."""
