# What the module for Radicale's [hook] type needs of Radicale, for tests where
# Radicale is older than 3.2. The names are those of Radicale 3.7.
