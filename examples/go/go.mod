module alterrec

go 1.21
