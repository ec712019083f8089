# SPDX-License-Identifier: GPL-2.0-only
#
# Reads the console of a lane's guest and prints one line for each test:
#
#	pass PROGRAM NAME
#	skip PROGRAM NAME REASON
#	fail PROGRAM NAME REASON
#	lost PROGRAM NAME REASON      never ran to an end because something
#	                              before it went wrong
#
# What a failed test said follows on lines that begin with a tab. Everything
# else that has to go well is reported, if it does not, as a test of its program
# or of the program "lane".
#
# -v ending=STATUS       the exit status of qemu.sh
# -v programs="NAME..."  the programs given to the guest

function result(kind, name, reason) {
	if (name != "whole_program")
		count++
	print kind, program, name (reason == "" ? "" : " " reason)
	if (kind == "fail") {
		printf "%s", said
		failures++
	}
	said = running = ""
	seen[program, name] = 1
}

# end_program: whatever has no result now gets none
function end_program(reason, i) {
	if (running != "")
		result("fail", running, reason)
	else if (reason != "")
		result("fail", "whole_program", reason)
	if (reason == "")
		reason = "its program ended early"
	if (listed[program]) {
		for (i = 1; i <= listed[program]; i++)
			if (!((program, test[program, i]) in seen))
				result("lost", test[program, i], reason)
	} else {
		while (count < plan)
			result("lost", "test_" (count + 1), reason)
	}
	program = ""
}

function add_fixture(v, t, name) {
	for (v = 1; v <= (variants ? variants : 1); v++)
		for (t = 1; t <= tests; t++) {
			name = fixture (variants ? "." variant[v] : "") "." one[t]
			test[listing, ++listed[listing]] = name
		}
	fixture = ""
	variants = tests = 0
}

BEGIN {
	complaint = "WARNING: |BUG[: ]|UBSAN: |Oops: |kernel BUG at|Unable to handle"
	complaint = complaint "|blocked for more than|detected stall|Bad page"
	complaint = complaint "|memory corruption|memory leaks|Kernel panic"
	how[3] = "the kernel crashed"
	how[4] = "the guest hung"
	how[5] = "QEMU ended by itself"
	how[6] = "a CPU of the guest has lost its timer"
}

# The harness's table of its tests: for each fixture a block of lines, which has
# the fixture in the first line, the variants in one column, and the tests in
# the next, side by side.
listing != "" {
	if (/^-----/ || /^guest: /)
		add_fixture()
	if (/^guest: /)
		listing = ""
	else if (!/^(-----|# FIXTURE )/ && NF) {
		if (fixture == "") {
			fixture = $1
			sub(/^[^ ]+/, sprintf("%20s", ""))
		}
		# Columns of 20 and 25 characters, with a space after each.
		if (NF == 2 || NF == 1 && match($0, /[^ ]/) < 40)
			variant[++variants] = $1
		if (NF == 2 || NF == 1 && match($0, /[^ ]/) > 40)
			one[++tests] = $NF
	}
}
/^guest: list / { listing = $3 }
listing != "" { next }

/^guest: begin / {
	program = $3
	begun[program] = 1
	plan = count = failures = 0
	said = running = whole_skip = ""
	next
}

/^guest: end / {
	if (whole_skip != "" && !count)
		result("skip", "whole_program", whole_skip)
	else if ($4 && !failures && running == "")
		end_program("exit status " $4)
	else
		end_program(running == "" ? "" : "exit status " $4)
	program = ""
	next
}

/^guest: kernel log: / { section = $4; next }
/^guest: unloaded$/ { unloaded = 1 }
/^guest: failed: / { sub(/^guest: failed: /, ""); trouble = $0 }
/^guest: / { section = ""; next }

# The kernel warns of what its own parameter multitce=off does.
/WARNING: .* check_features\+/ { next }
# What is lost when the kernel's own calls fail, too, this program looks at itself.
section == "test_fail_nth" && /kmemleak: / { next }
# Races of the kernel's own are told, once each, and are not ours to judge.
/BUG: KCSAN: / && section != "mistakes" && !/\[vfio_iommu_spapr_tce\]/ {
	sub(/^.*BUG: KCSAN: /, "")
	if (section != "")
		races[$0]++
	next
}
# The kernel tells of every dynamic window that a partition asks for.
/spapr_tce_create_table: Calling query / { next }

# The module that makes mistakes says before each what the kernel has to say of it.
section == "mistakes" {
	if (sub(/^.* mistake: /, "")) {
		name = $0
		sub(/: .*/, "", name)
		wanted[name] = substr($0, length(name) + 3)
	} else {
		for (name in wanted)
			if (index($0, wanted[name]))
				found[name] = 1
	}
	next
}

# The kernel's messages: those of a section are of something that went on, the
# others are about its end.
/^\[ *[0-9]+\.[0-9]+\]/ && $0 ~ complaint {
	sub(/^\[[^]]*\] */, "")
	if (program == "" && section != "") {
		if (!(section in complaints))
			sections[++n_sections] = section
		complaints[section] = complaints[section] "\t" $0 "\n"
	} else if (crash == "") {
		crash = ": " $0
	}
	next
}

program == "" { next }

/^1\.\.0 # SKIP/ { sub(/^1\.\.0 # SKIP */, ""); whole_skip = $0 ? $0 : "no reason"; next }
/^1\.\.[0-9]+/ { sub(/^1\.\./, ""); plan = $1 + 0; next }

/^# +RUN +/ {
	running = $3
	said = ""
	next
}

/^(not )?ok [0-9]+/ {
	kind = /^ok/ ? "pass" : "fail"
	sub(/^(not )?ok [0-9]+ *(- )?/, "")
	reason = ""
	if (match($0, / *# */)) {
		reason = substr($0, RSTART + RLENGTH)
		$0 = substr($0, 1, RSTART - 1)
	}
	if (sub(/^SKIP */, "", reason))
		kind = "skip"
	gsub(/ /, "_")
	result(kind, $0 == "" ? "test_" (count + 1) : $0, reason)
	next
}

/^# +(OK|FAIL) / { next }
{ said = said "\t" $0 "\n" }

END {
	why = (ending in how) ? how[ending] crash : ""
	if (program != "") {
		if (running == "")
			running = "test_" (count + 1)
		end_program(why)
		why = "not reached"
	}

	n = split(programs, order, " ")
	for (i = 1; i <= n; i++)
		if (!(order[i] in begun)) {
			program = order[i]
			if (!listed[program])
				listed[program] = 1
			for (j = 1; j <= listed[program]; j++)
				result("lost", (program, j) in test ? test[program, j] : "whole_program",
				       trouble != "" ? trouble : why)
		}

	for (i = 1; i <= n_sections; i++) {
		program = sections[i] in begun ? sections[i] : "lane"
		said = complaints[sections[i]]
		result("fail", program == "lane" ? sections[i] "_kernel_log" : "kernel_log", \
		       "the kernel complained")
	}
	for (race in races)
		print "note", "kernel", "race", races[race], "times: " race
	program = "lane"
	for (name in wanted)
		result(name in found ? "pass" : "fail", "finds_" name, \
		       name in found ? "" : "the kernel did not say: " wanted[name])
	if (!unloaded && why != "not reached")
		result("fail", "setup_and_unload", trouble != "" ? trouble : why)
}
