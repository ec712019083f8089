# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# What the scripts that boot lanes share. Sourced after common.sh.
# shellcheck disable=SC2154 # common.sh sets repo, build and log_dir

here=$repo/selftests/qemu
programs_dir=$build/selftests/vfio-ppc64le

# open_lane LANE: sets lane, kernel, kernel_dir and machine
open_lane() {
	lane=$1
	machine=''
	for kernel in $(kernels); do
		[[ $lane != *-"$kernel" ]] || {
			machine=${lane%-"$kernel"}
			break
		}
	done
	[ -n "$machine" ] || die "unknown lane $lane: it is <machine>-<kernel>," \
		"with one of these kernels: $(kernels | paste -s -d ' ')"
	# Parameters of the kernel that are for our module; see lane-init.
	parameters=''
	# Arguments of QEMU's, beside those of the machine.
	options=()
	# Seconds after which a guest that says nothing hangs, and after which it takes too long.
	silence=200
	timeout=900
	# Whether freed pages are poisoned.
	poison=1
	# How many times slower the kernel is than others.
	times=1
	kernel_dir=$build/kernels/$kernel
	# One that looks for mistakes takes its time, and memory for what it knows of all memory.
	if is_built_here "$kernel"; then
		times=4
		options=(-m 4G)
	fi
	[ -e "$kernel_dir/stamp" ] || die "no kernel $kernel: run scripts/fetch-kernel.sh $kernel"
	[ -x "$build/target/busybox" ] || die "no busybox: run scripts/fetch-busybox.sh"
}

# module_file ours|stock
module_file() {
	local file=$build/$kernel/vfio_iommu_spapr_tce.ko
	[ "$1" = ours ] || file=$kernel_dir/modules/vfio_iommu_spapr_tce.ko
	[ -s "$file" ] || die "no ${file#"$repo/"}"
	printf '%s\n' "$file"
}

# all_programs: the names of the test programs; the demo is none
all_programs() {
	local file found=''
	for file in "$programs_dir"/*; do
		if [ -f "$file" ] && [ -x "$file" ] && [ "${file##*/}" != demo ]; then
			printf '%s\n' "${file##*/}"
			found=yes
		fi
	done
	[ -n "$found" ] || die "no test programs in ${programs_dir#"$repo/"}"
}

# module_arguments NAME...: modules of the kernel, as arguments for build-initramfs.sh
module_arguments() {
	printf "modules:$kernel_dir/modules/%s.ko\n" "$@"
}

# nvme_modules: those of an NVMe disk. Older kernels have no nvme-keyring.
nvme_modules() {
	[ ! -e "$kernel_dir/modules/nvme-keyring.ko" ] || module_arguments nvme-keyring
	module_arguments nvme-auth nvme-core nvme
}

# vfio_modules: the modules around ours
vfio_modules() {
	module_arguments vfio vfio-pci-core vfio-pci
	[[ $machine != pseries* ]] || nvme_modules
	! is_built_here "$kernel" || printf '%s\n' "modules:$build/mistakes/$kernel/mistakes.ko"
}

# kvm_modules: those of KVM, where a guest's TCEs could be written by it
kvm_modules() {
	[[ $machine != powernv* ]] || module_arguments kvm kvm-hv
}

# emulator: the QEMU of the lane. On PowerNV its PHBs keep TCEs until they are told to drop them.
emulator() {
	local built=$build/qemu/qemu-system-ppc64
	if [[ $machine != powernv* ]]; then
		echo qemu-system-ppc64
	elif [ -x "$built" ]; then
		echo "$built"
	else
		die "no ${built#"$repo/"}: run scripts/build-qemu.sh"
	fi
}

# boot_lane NAME MODULE-FILE PROGRAM...: boots the programs with the module. The
# console goes to build/log/NAME.log and the results to build/log/NAME.results;
# sets ending to what qemu.sh answered.
#
# On a busy machine an emulated CPU has been seen to lose its timer for good: the kernel says so, and
# whatever sleeps there sleeps for ever. That has nothing to do with what is tested, which does not
# touch timers, and so the lane is run again, once.
boot_lane() {
	local name=$1 module=$2 initramfs=$build/initramfs/$1.cpio line programs qemu attempt
	shift 2
	programs=$*
	set -- "${@/#/tests:$programs_dir/}"
	# shellcheck disable=SC2046 # a list
	"$here/build-initramfs.sh" "$initramfs" "$here/lane-init" ":$here/guest.sh" \
		$(vfio_modules) $(kvm_modules) "modules:$module" "tools:$repo/tools/tcestat" \
		"tools:$repo/tools/tce-trace" "$@"

	# Allocations are checked and freed pages can be poisoned: a cheap look for
	# memory that is used after it was freed, or past its end.
	qemu=$(emulator)
	for attempt in 1 2; do
		say "booting $kernel on $machine"
		ending=0
		"$here/qemu.sh" --qemu "$qemu" --machine "$machine" --kernel "$kernel_dir" \
			--initramfs "$initramfs" --log "$log_dir/$name.log" --live \
			--timeout "$timeout" --silence "$silence" --times "$times" \
			--append "slub_debug=FZPU page_poison=$poison kfence.sample_interval=1 kasan_multi_shot=1 $parameters" \
			-- -smp 2 "${options[@]}" |
			show_progress "$name" || ending=$?
		[ "$ending$attempt" = 61 ] || break
		mv "$log_dir/$name.log" "$log_dir/$name.no-timer.log"
		say "a CPU has lost its timer, see build/log/$name.no-timer.log: once more"
	done
	awk -v ending="$ending" -v programs="$programs" -f "$here/ktap.awk" \
		"$log_dir/$name.log" >"$log_dir/$name.results"
}

# boot_guest NAME QEMU INITRAMFS PARAMETERS PROGRAMS QEMU-ARGS...: boots the machine of the lane with an init
# that says what it does; its console is in build/log/NAME.log, and what each of PROGRAMS, a list in one
# argument, did in build/log/NAME.results.all then
boot_guest() {
	local name=$1 ending=0
	say "booting $kernel on $machine"
	"$here/qemu.sh" --qemu "$2" --machine "$machine" --kernel "$kernel_dir" --initramfs "$3" \
		--log "$log_dir/$name.log" --live --timeout "$timeout" --silence "$silence" \
		--append "slub_debug=FZPU page_poison=1 $4" -- "${@:6}" |
		show_progress "$name" || ending=$?
	awk -v ending="$ending" -v programs="$5" -f "$here/ktap.awk" "$log_dir/$name.log" \
		>"$log_dir/$name.results.all"
}

# boot_test NAME MODULE-FILE PROGRAM TEST: boots one test. It is all that is in the results then; if the
# machine went down before it had one, it failed.
boot_test() {
	local name=$1 program=$3 test=$4
	parameters="only=$test"
	boot_lane "$name" "$2" "$program"
	grep -q '^guest: begin ' "$log_dir/$name.log" ||
		die "the test did not begin; the console is in build/log/$name.log"
	awk -v program="$program" -v test="(^|[.])$test\$" '
		!/^\t/ { of_test = $2 == program && $3 ~ test && $1 != "lost" }
		of_test { print; found = 1 }
		END { exit !found }' "$log_dir/$name.results" >"$log_dir/$name.kept" ||
		echo "fail $program $test the machine went down" >"$log_dir/$name.kept"
	mv "$log_dir/$name.kept" "$log_dir/$name.results"
}

# boot_stock_test NAME PROGRAM TEST: the same with the stock driver. A race needs some luck to show: a test
# of one that has passed is tried again.
boot_stock_test() {
	local try=1
	[[ ! $3 =~ ^d(8|12)_ ]] || try=3
	while [ "$try" -gt 0 ]; do
		boot_test "$1" "$(module_file stock)" "$2" "$3"
		grep -q '^pass' "$log_dir/$1.results" || return 0
		try=$((try - 1))
	done
}

# show_progress NAME: of what is on the console, which is the input, the lines that are for people:
# which program begins; now and then how many tests have ended, beside the number of tests and the
# time of the last run, if there was one; and what is said of the guests of the guest.
show_progress() {
	local line program='' tests=0 all='' seconds left started=$SECONDS shown=0
	local last=$log_dir/$1.last
	[ ! -s "$last" ] || read -r all seconds <"$last"
	# A status over 128: nothing was said for some time.
	while IFS= read -r -t 60 line || [ $? -gt 128 ]; do
		case $line in
		'guest: begin '*)
			program=${line#guest: begin }
			shown=-60
			;;
		'guest: finished') echo "$tests $((SECONDS - started))" >"$last" ;;
		'ok '* | 'not ok '*) tests=$((tests + 1)) ;;
		'note: '*) say "${line#note: }" ;;
		'qemu| '*) printf '%s\n' "$line" ;;
		esac
		if [ -n "$program" ] && [ $((SECONDS - shown)) -ge 30 ]; then
			shown=$SECONDS
			left=$((${seconds-0} - SECONDS + started))
			[ "$left" -gt 0 ] || left=0
			say "$program, $tests tests done${all:+ of $all, $left s left by the last run}"
		fi
	done
}

# report_lane NAME TITLE: prints what is in build/log/NAME.results and as the last line the count;
# 0 if nothing failed. A test that was not reached is a test that failed.
report_lane() {
	local failed
	awk '
		/^\t/ { if (show) print "        " substr($0, 2); next }
		{
			kind = $1 == "lost" ? "fail" : $1
			n[kind]++
			show = kind == "fail"
			if (kind == "pass")
				next
			reason = $0
			sub(/^[^ ]+ [^ ]+ [^ ]+ ?/, "", reason)
			print "    " toupper(kind) " " $2 ": " $3 (reason == "" ? "" : ": " reason)
		}' "$log_dir/$1.results"
	failed=$(count_results "$1" 'fail|lost')
	[ "$failed" = 0 ] || say "the console is in build/log/$1.log"
	echo "$2: $(count_results "$1" pass) passed, $failed failed, $(count_results "$1" skip) skipped"
	[ "$failed" = 0 ]
}

count_results() {
	grep -cE "^($2) " "$log_dir/$1.results" || true
}
