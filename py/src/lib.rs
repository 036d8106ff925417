//! Python module of atlas-postbooking.
