module caller

go 1.19

require atlas-postbooking v0.0.0

replace atlas-postbooking => ../../../examples/go
