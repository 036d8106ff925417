//! C ABI of atlas-postbooking.
