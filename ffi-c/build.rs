//! What the shared library says about itself.
fn main() {
    if std::env::var("CARGO_CFG_TARGET_OS").as_deref() == Ok("linux") {
        // The number of APB_ABI_VERSION.
        println!("cargo:rustc-cdylib-link-arg=-Wl,-soname,libatlas_postbooking.so.1");
        // A library with a thread cannot be unloaded: dlclose becomes a no-op.
        println!("cargo:rustc-cdylib-link-arg=-Wl,-z,nodelete");
    }
}
