# Voids an order: quotation, submit, and after a lost answer the question whether it happened.
#   tclsh void.tcl BASE_URL ORDER_NO
source [file join [file dirname [file normalize [info script]]] atlas_postbooking.tcl]

proc void {client order} {
    set quote [atlas::call $client voidQuotation "{\"orderNo\":\"$order\"}"]
    set money /data/voidFareAmount
    puts "comes back: [atlas::get $quote $money/estimatedRefundAmount] [atlas::get $quote $money/currency]"
    set offer [atlas::get $quote /data/voidOfferId]
    try {
        set done [atlas::call $client void "{\"orderNo\":\"$order\",\"voidOfferId\":\"$offer\"}"]
        puts "voided: [atlas::get $done /data/voidCode]"
        return 0
    } trap {ATLAS unknown} {} {
        puts "unknown: asking whether it happened"
    }
    for {set i 0} {$i < 5} {incr i} {
        set listed [atlas::reply $client queryVoidOrders "{\"orderNo\":\"$order\"}"]
        foreach one [atlas::get $listed /data/voidOrders] {
            if {[dict get $one voidOfferId] eq $offer} {
                puts "it happened: [dict get $one voidCode]"
                return 0
            }
        }
        after 200
    }
    puts "still unknown: nothing is sent again"
    return 3
}

lassign $argv base_url order
try {
    exit [void [atlas::client "{\"baseUrl\":\"$base_url\",\"clientId\":\"demo\",\"clientSecret\":\"demo\"}"] $order]
} trap ATLAS {message} {
    puts "not voided: $message"
    exit 1
}
