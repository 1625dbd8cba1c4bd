//! A local RTM service.
