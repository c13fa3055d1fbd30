"""What can be learnt and in which order: career paths, tracks, modules, resources and projects.

Pure functions on frozen values. All content is data; docs/curriculum.md tells its form.
"""
