"""The pages and the HTTP service of Rootcause; everything that is computed lives in the package ``rootcause``."""
