//! A portal page (text or HTML) into an article, documents and links, and what could not be read.
