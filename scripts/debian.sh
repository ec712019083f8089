# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# What comes from Debian and how: the tables of releases and kernels, and
# downloads through private apt directories under build/apt.
#
# The machine's own apt configuration is read (mirror, proxy, keyring) and
# never changed. No exact version appears anywhere because mirrors drop old
# ones: the newest package of a suite is taken.
#
# Sourced after common.sh.
# shellcheck source=scripts/common.sh

apt_dir=$build/apt

# ----------------------------------------------------------------- the tables

# debian_suite WHAT: the suite which serves something on this release of Debian
debian_suite() {
	case $codename:$1 in
	bookworm:kernel-6.12 | bookworm:qemu | bookworm:qemu-img | bookworm:qemu-pc) echo bookworm-backports ;;
	trixie:kernel-6.12 | trixie:qemu | trixie:qemu-img | trixie:qemu-pc) echo trixie ;;
	bookworm:kernel-7.2* | trixie:kernel-7.2*) echo trixie-backports ;;
	bookworm:toolchain) echo trixie ;;
	*:herd) echo sid ;;
	*:plain | *:dpdk | *:bpftrace | *:perf | *:trace-cmd) echo "$codename" ;;
	*) die "no suite known for $1 on Debian $codename" ;;
	esac
}

# debian_packages SET: the packages of a set on this release of Debian
debian_packages() {
	case $codename:$1 in
	# The libraries are what the programs in linux-kbuild are linked to.
	bookworm:build) echo "$build_packages libelf1 libssl3 zlib1g" ;;
	trixie:build) echo "$build_packages libelf1t64 libssl3t64 zlib1g" ;;
	bookworm:toolchain) echo mmdebstrap ;;
	*:qemu) echo "qemu-system-ppc device-tree-compiler" ;;
	*:qemu-build) echo "$qemu_build_packages" ;;
	*:host-tests) echo "g++ clang libclang-rt-dev libgtest-dev make" ;;
	*:coverage) echo "g++ clang libclang-rt-dev gcovr libgtest-dev make" ;;
	*:install) echo "e2fsprogs openssl xz-utils" ;;
	*:deb) echo "dpkg-dev debhelper lintian" ;;
	*:bench) echo "gnuplot-nox" ;;
	*:pc) echo "qemu-system-x86 gcc libc6-dev" ;;
	*:docs) echo "python3-sphinx python3-myst-parser" ;;
	*:kernel) echo "gcc libc6-dev flex bison libelf-dev" ;;
	*:lint) echo "sparse clang-format clang-tidy shellcheck man-db reuse" ;;
	*) return 1 ;;
	esac
}
build_packages="make g++-powerpc64le-linux-gnu libc6-dev-ppc64el-cross \
xz-utils cpio kmod bc pahole"
qemu_build_packages="gcc libc6-dev libfdt-dev libglib2.0-dev zlib1g-dev ninja-build patch pkgconf \
python3-venv xz-utils"
# shellcheck disable=SC2034 # used by host-packages.sh
qemu_oldest=1:10.0

# kernel_flavour KERNEL: the ending of the kernel's packages. The version of
# the packages must begin with the part of KERNEL before any dash. Or source-VERSION.
kernel_flavour() {
	awk -v kernel="$1" '$1 == "kernel" && $2 == kernel { print $3; known = 1 }
		END { exit !known }' "$repo/selftests/lanes" || {
		printf '%s: unknown kernel %s (known: %s)\n' "$self" "$1" \
			"$(kernels | paste -s -d ' ')" >&2
		exit 2
	}
}

# kernel_toolchain KERNEL: "toolchain" if the kernel's compiler is not that of this
# release of Debian but of a chroot of the next; see fetch-toolchain.sh
kernel_toolchain() {
	case $codename:$1 in
	# With KASAN and the compiler of Debian 12 the kernel dies before it says anything.
	bookworm:7.2* | bookworm:kasan | bookworm:kcsan) echo toolchain ;;
	esac
}

# ---------------------------------------------------------------- the machine

debian_check() {
	local ID VERSION_CODENAME PRETTY_NAME
	. /etc/os-release
	case $ID:${VERSION_CODENAME-} in
	debian:bookworm | debian:trixie) codename=$VERSION_CODENAME ;;
	*) die "this is $PRETTY_NAME; only Debian 12 and 13 are known here" ;;
	esac
	host_arch=$(dpkg --print-architecture)
}

# debian_repositories: one line "URI SUITE" for each repository of Debian
# itself which the machine's apt uses.
debian_repositories() {
	local repositories
	# A fresh machine has no package lists, and only they say which of its
	# repositories are Debian's: get lists of our own then.
	repositories=$(list_repositories machine || list_repositories host) || {
		apt_root host
		quietly apt_in host apt-get update -q >&2 || true
		repositories=$(list_repositories host) ||
			die "the machine's apt sources have no Debian $codename"
	}
	printf '%s\n' "$repositories"
}

list_repositories() {
	local found
	# shellcheck disable=SC2016 # apt's variables, not the shell's
	found=$(apt_in "$1" apt-get indextargets \
		--format '$(REPO_URI) $(CODENAME)' \
		'Created-By: Packages' 'Origin: Debian' 'Component: main' |
		sort -u) || return 1
	grep -q " $codename\$" <<<"$found" && printf '%s\n' "$found"
}

# ------------------------------------------------------ private apt directories

# apt_lock: scripts may run at the same time, apt's lists cannot
apt_lock() {
	mkdir -p "$apt_dir"
	exec 9>"$apt_dir/lock"
	flock -n 9 || {
		say "waiting for another download to end"
		flock 9
	}
}

# apt_root NAME: makes build/apt/NAME
apt_root() {
	mkdir -p "$apt_dir/$1/lists/partial" "$apt_dir/$1/cache/archives/partial"
	: >"$apt_dir/$1/status"
}

# apt_in NAME COMMAND...: runs an apt tool with the lists and the cache of
# build/apt/NAME, and with its sources as soon as it has some. The NAME
# "machine" is the machine's own apt.
apt_in() {
	local dir=$apt_dir/$1 tool=$2 options=()
	[ "$1" = machine ] || options=(-o "Dir::State::Lists=$dir/lists"
		-o "Dir::Cache=$dir/cache" -o 'Acquire::Languages=none'
		-o 'APT::Sandbox::User=root')
	shift 2
	if [ -f "$dir/sources.list" ]; then
		options+=(-o "Dir::Etc::SourceList=$dir/sources.list"
			-o 'Dir::Etc::SourceParts=/dev/null')
	fi
	if [ -f "$dir/foreign" ]; then
		# Nothing is installed from here: no package is taken as
		# installed, and the machine need not know the architecture.
		options+=(-o "Dir::State::Status=$dir/status"
			-o "APT::Architectures::=$host_arch"
			-o 'APT::Architectures::=ppc64el')
	fi
	"$tool" "${options[@]}" "$@"
}

# apt_source ARCHITECTURES SUITE URI: a line of a sources.list
apt_source() {
	local keyring=/usr/share/keyrings/debian-archive-keyring.gpg
	local signed=''
	[ -r "$keyring" ] && signed=" signed-by=$keyring"
	printf 'deb [arch=%s%s] %s %s main\n' "$1" "$signed" "$3" "$2"
}

# apt_foreign NAME ARCHITECTURES SUITE...: a directory for downloads from these suites
apt_foreign() {
	local uri suite
	apt_root "$1"
	: >"$apt_dir/$1/foreign"
	uri=$(debian_repositories | sed -n "s/ $codename\$//p" | head -n 1)
	for suite in $(printf '%s\n' "${@:3}" | sort -u); do
		apt_source "$2" "$suite" "$uri"
	done >"$apt_dir/$1/sources.list"
}

# machine_proxies: a file with how the machine's apt reaches its mirror, for mmdebstrap
machine_proxies() {
	local file=$apt_dir/proxies
	apt-config dump Acquire |
		grep -iE '^Acquire::(http|https)(::[^ ]*)?::(proxy|proxy-auto-detect|cainfo|verify-peer) ' >"$file" || true
	printf '%s\n' "$file"
}

# fetch_debs NAME DIRECTORY RESOLVE: downloads into DIRECTORY the packages that
# the function RESOLVE prints ("package:architecture=version"). Three tries,
# each with new lists, because a mirror may be in the middle of a sync. Mirrors
# and caches have each suite by two names, with files of their own: the second
# try is of the other name.
fetch_debs() {
	local name=$1 dir=$2 resolve=$3 suites try packages
	suites=$(suites_of "$name")
	rm -rf "$dir"
	mkdir -p "$dir"
	for try in 1 2 3; do
		case $try in
		2)
			other_names -i.codenames "$apt_dir/$name/sources.list"
			;;
		3) mv "$apt_dir/$name/sources.list.codenames" "$apt_dir/$name/sources.list" ;;
		esac
		say "reading the package lists of $(suites_of "$name")"
		if quietly apt_in "$name" apt-get update -q --error-on=any &&
			[ "$(codenames_of "$name")" = "$suites" ] &&
			packages=$("$resolve") && [ -n "$packages" ]; then
			say "downloading $(names_of "$packages")" \
				"($(size_of "$name" "$packages") MB)"
			if download "$name" "$dir" "$packages"; then
				return 0
			fi
		fi
		[ "$try" = 3 ] || {
			say "that failed, trying again"
			sleep 5
		}
	done
	die "cannot download from $(suites_of "$name"); see $log_dir/$self.log"
}

# other_names SED-ARGUMENT...: lines of a sources.list, with each suite by its other name
other_names() {
	sed -e 's/ bookworm\([^ ]* main\)$/ oldstable\1/' -e 's/ trixie\([^ ]* main\)$/ stable\1/' "$@"
}

names_of() {
	local package names=()
	for package in $1; do
		names+=("${package%%[:=]*}")
	done
	echo "${names[*]}"
}

suites_of() {
	awk '{ print $(NF - 1) }' "$apt_dir/$1/sources.list" | sort -u | xargs
}

# codenames_of NAME: of the suites whose lists are there
codenames_of() {
	# shellcheck disable=SC2016 # apt's variable, not the shell's
	apt_in "$1" apt-get indextargets --format '$(CODENAME)' 'Created-By: Packages' |
		sort -u | xargs
}

# size_of NAME PACKAGES: their size in MB
size_of() {
	# shellcheck disable=SC2086 # PACKAGES is a list
	apt_in "$1" apt-cache show $2 |
		awk '/^Size:/ { n += $2 } END { print int(n / 1e6 + 0.5) }'
}

# download NAME DIRECTORY PACKAGES: apt checks sizes and hashes
download() {
	local package
	# shellcheck disable=SC2086 # PACKAGES is a list
	(cd "$2" && quietly apt_in "$1" apt-get download -q $3) || return 1
	for package in $3; do
		deb_file "$2" "$package" >/dev/null || return 1
	done
}

# deb_file DIRECTORY PACKAGE: the downloaded file of a package (or a pattern)
deb_file() {
	local file
	# shellcheck disable=SC2231 # PACKAGE may be a pattern
	for file in "$1"/${2%%[:=]*}_*.deb; do
		[ -s "$file" ] && printf '%s\n' "$file" && return 0
	done
	return 1
}

# versions NAME PACKAGE PREFIX: the versions of a package which begin with
# PREFIX, newest first
versions() {
	apt_in "$1" apt-cache show "$2" 2>/dev/null |
		sed -n 's/^Version: //p' | awk -v prefix="$3" 'index($0, prefix) == 1' | sort -urV
}

# ------------------------------------------------------------- the kernel's source

# fetch_source VERSION DIRECTORY: downloads Debian's linux-source package of a kernel. It is large
# (150 MB) and not worth keeping.
fetch_source() {
	source_root=kernel-$1
	source_package=linux-source-$1
	apt_foreign "$source_root" "$host_arch,ppc64el" "$(debian_suite "$source_root")"
	fetch_debs "$source_root" "$2" newest_source
}

newest_source() {
	local version
	version=$(versions "$source_root" "$source_package" "${source_root#kernel-}." | head -n 1)
	[ -n "$version" ] && echo "$source_package=$version"
}

# unpack_source DIRECTORY TAR-ARGUMENT...: of what fetch_source put there
unpack_source() {
	dpkg --fsys-tarfile "$(deb_file "$1" 'linux-source-*')" |
		tar -xO --wildcards './usr/src/linux-source-*.tar.*' | tar -xJ --wildcards "${@:2}"
}
