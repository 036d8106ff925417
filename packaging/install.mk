# Installs what this archive has, without building anything: make install PREFIX=/usr/local LIBDIR=... DESTDIR=...
# uninstall with the same variables takes it away. The folder can also be used where it is.
PREFIX ?= /usr/local
LIBDIR ?= $(PREFIX)/lib
DESTDIR ?=
FILES := $(shell find include share -type f)
LIBRARIES := $(shell cd lib && find . ! -type d)
# From a folder below LIBDIR to the headers.
back_to_include = $(shell realpath -m --relative-to="$(LIBDIR)/$(1)" "$(PREFIX)/include")

install:
	install -d "$(DESTDIR)$(PREFIX)" "$(DESTDIR)$(LIBDIR)"
	cp -R include share "$(DESTDIR)$(PREFIX)"
	cp -R -P lib/. "$(DESTDIR)$(LIBDIR)"
	sed 's|^includedir=.*|includedir=$${pcfiledir}/$(call back_to_include,pkgconfig)|' \
		lib/pkgconfig/atlas_postbooking.pc > "$(DESTDIR)$(LIBDIR)/pkgconfig/atlas_postbooking.pc"
	sed 's|/\.\./\.\./\.\./include"|/$(call back_to_include,cmake/atlas_postbooking)"|' \
		lib/cmake/atlas_postbooking/atlas_postbookingConfig.cmake \
		> "$(DESTDIR)$(LIBDIR)/cmake/atlas_postbooking/atlas_postbookingConfig.cmake"

uninstall:
	cd "$(DESTDIR)$(PREFIX)" && rm -f $(FILES) && rm -rf share/atlas_postbooking share/doc/atlas_postbooking
	cd "$(DESTDIR)$(LIBDIR)" && rm -f $(LIBRARIES) && rmdir cmake/atlas_postbooking

.PHONY: install uninstall
.DEFAULT_GOAL := install
