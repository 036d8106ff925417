//! Link arguments of the shared library: its soname, and that it is not unloaded.
fn main() {
    if std::env::var("CARGO_CFG_TARGET_OS").as_deref() == Ok("linux") {
        // The number is APB_ABI_VERSION.
        println!("cargo:rustc-cdylib-link-arg=-Wl,-soname,libatlas_postbooking.so.1");
        // The I/O thread runs code of the library, so dlclose() must not unmap it.
        println!("cargo:rustc-cdylib-link-arg=-Wl,-z,nodelete");
    }
}
