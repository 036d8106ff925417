module atlas-postbooking

go 1.19
