# The caller of the vectors and stories through examples/tcl; README.md has the protocol.
source [file join [file dirname [file normalize [info script]]] ../../examples/tcl/atlas_postbooking.tcl]

proc answer {verb times operation config request options} {
    switch $verb {
        VALIDATE { return [atlas::Reply [atlas::Validate $operation $request]] }
        DESCRIBE { return [atlas::describe $operation] }
        LOCAL { return [waited 0 $operation $request $options] }
    }
    lassign [atlas::Client $config] client why
    if {$client == 0} { return [atlas::Reply $why] }
    switch $verb {
        READS {
            set ::ok 0
            set ::left $times
            set ::gap 0
            set ::ticks 0
            after 5 [list tick [clock milliseconds]]
            for {set i 0} {$i < $times} {incr i} { atlas::start_bytes $client $operation $request counted }
            while {$::left > 0} { vwait ::left }
            foreach one [after info] { after cancel $one }
            set reply [dict create status 0 outcome unknown http - vendor - bytes "{\"ok\":$::ok,\"gapMs\":$::gap,\"ticks\":$::ticks}"]
        }
        LEAVE {
            after $times exit
            waited $client $operation $request
        }
        CANCEL {
            set token [atlas::cancel]
            after $times [list atlas::cancel_set $token]
            set reply [waited $client $operation $request "" $token]
            atlas::cancel_free $token
        }
        default {
            for {set i 0} {$i < $times} {incr i} { set reply [waited $client $operation $request $options] }
        }
    }
    atlas::close $client
    return $reply
}

proc tick {last} {
    set now [clock milliseconds]
    set ::gap [expr {max($::gap, $now - $last - 5)}]
    incr ::ticks
    after 5 [list tick $now]
}

proc counted {reply} {
    if {[dict get $reply status] == 0} { incr ::ok }
    incr ::left -1
}

proc waited {client operation request {options ""} {cancel 0}} {
    unset -nocomplain ::answered
    atlas::start_bytes $client $operation $request {set ::answered} $options $cancel
    if {![info exists ::answered]} { vwait ::answered }
    return $::answered
}

fconfigure stdin -translation binary
fconfigure stdout -translation binary
puts ready
flush stdout
while {[gets stdin line] >= 0} {
    set texts {}
    foreach size [lrange $line 2 end] { lappend texts [read stdin $size] }
    set reply [answer [lindex $line 0] [lindex $line 1] {*}$texts]
    dict with reply {
        set leaked [expr {max([atlas::live_handles] - 1, 0)}]
        set raw_len [expr {[dict exists $reply raw] ? [string length [dict get $reply raw]] : -1}]
        puts "$status [lsearch $atlas::outcomes $outcome] $http $vendor [string length $bytes] $raw_len $leaked"
        puts -nonewline $bytes
        if {$raw_len >= 0} { puts -nonewline [dict get $reply raw] }
    }
    flush stdout
}
