# bcryptprimitives.dll for Wine 8, which has none: ProcessPrng alone, as advapi32's SystemFunction036 (RtlGenRandom).
.text
.globl ProcessPrng
ProcessPrng:
  jmp *__imp_SystemFunction036(%rip)
.globl DllMain
DllMain:
  movl $1, %eax
  ret
