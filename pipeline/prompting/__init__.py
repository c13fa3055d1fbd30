"""How Gradeline words things: languages, harmless quotations, and the rendering of versioned texts.

Pure: values in, text out. Learners' and teachers' text is data here and never becomes template source.
"""
