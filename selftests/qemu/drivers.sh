# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# What the suites share that run a client of VFIO with one driver after the other. Sourced after lane.sh;
# name is the suite, drivers are the drivers, and results is where their results go.
# shellcheck disable=SC2154 # these, and those of lane.sh

# boot_drivers QEMU INITRAMFS PARAMETERS QEMU-ARGS...: boots the machine of the lane, with its console in
# build/log/NAME.log; what each driver did is in build/log/NAME.results.all then
boot_drivers() {
	results=$log_dir/$name.results
	boot_guest "$name" "$1" "$2" "drivers=$(IFS=, && echo "${drivers[*]}") $3" "${drivers[*]}" "${@:4}"
}

# report_drivers: shows the drivers side by side, and as the last line the count; 0 if nothing failed
report_drivers() {
	awk -v drivers="${drivers[*]}" '
		/^\t/ || $3 ~ /^test_[0-9]+$/ { next }
		!($3 in row) { row[$3] = ++rows; test[rows] = $3 }
		{ result[$2, $3] = $1 == "fail" ? "FAILED" : $1 == "pass" ? "ok" : $1 }
		END {
			columns = split(drivers, driver, " ")
			printf "%-40s", ""
			for (i = 1; i <= columns; i++)
				printf " %14s", driver[i]
			print ""
			for (r = 1; r <= rows; r++) {
				printf "%-40s", test[r]
				for (i = 1; i <= columns; i++)
					printf " %14s", (driver[i], test[r]) in result ? result[driver[i], test[r]] : "-"
				print ""
			}
		}' "$results.all"

	# The stock driver has to fail in a test that is named after a defect, and in no other. What is not
	# reached after that failure is not counted, nor what the kernel says of it.
	awk '
		$2 != "stock" { if (!/^\t/ || !stock) print; stock = 0; next }
		{ stock = 1 }
		$3 ~ /^d[0-9]+_/ && $1 == "pass" { print "fail stock " $3 " it passes on the stock driver"; next }
		$3 ~ /^d[0-9]+_/ && $1 == "fail" { print "pass stock " $3 "_fails"; defect = 1; next }
		($1 == "lost" || $3 == "kernel_log") && defect { next }
		{ print }' "$results.all" >"$results"
	report_lane "$name" "$name"
}
