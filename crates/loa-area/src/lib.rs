//! The directory of areas: periods, succession, aliases, and a gazetteer over Vietnamese text.
