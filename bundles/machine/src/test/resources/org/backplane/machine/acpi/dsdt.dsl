DefinitionBlock ("", "DSDT", 2, "BACKPL", "BACKPLNE", 0x00000001)
{
    Scope (_SB)
    {
        Device (C000)
        {
            Name (_HID, "ACPI0007")
            Name (_UID, Zero)
        }
        Device (PCI0)
        {
            Name (_HID, EisaId ("PNP0A08"))
            Name (_CID, EisaId ("PNP0A03"))
            Name (_UID, Zero)
            Name (_SEG, Zero)
            Name (_BBN, Zero)
            Name (_CRS, ResourceTemplate ()
            {
                WordBusNumber (ResourceProducer, MinFixed, MaxFixed, PosDecode, 0x0000, 0x0000, 0x00FF, 0x0000, 0x0100)
                IO (Decode16, 0x0CF8, 0x0CF8, 0x01, 0x08)
                WordIO (ResourceProducer, MinFixed, MaxFixed, PosDecode, EntireRange, 0x0000, 0x1000, 0xFFFF, 0x0000, 0xF000, TypeStatic, DenseTranslation)
                DWordMemory (ResourceProducer, PosDecode, MinFixed, MaxFixed, NonCacheable, ReadWrite, 0x00000000, 0xD0000000, 0xFBFFFFFF, 0x00000000, 0x2C000000, AddressRangeMemory, TypeStatic)
                QWordMemory (ResourceProducer, PosDecode, MinFixed, MaxFixed, NonCacheable, ReadWrite, 0x0000000000000000, 0x0000008000000000, 0x000000FFFFFFFFFF, 0x0000000000000000, 0x0000008000000000, AddressRangeMemory, TypeStatic)
            })
            Name (_PRT, Package (0x80)
            {
                {0xFFFF, Zero, Zero, 0x10},
                {0xFFFF, One, Zero, 0x11},
                {0xFFFF, 0x02, Zero, 0x12},
                {0xFFFF, 0x03, Zero, 0x13},
                {0x0001FFFF, Zero, Zero, 0x11},
                {0x0001FFFF, One, Zero, 0x12},
                {0x0001FFFF, 0x02, Zero, 0x13},
                {0x0001FFFF, 0x03, Zero, 0x14},
                {0x0002FFFF, Zero, Zero, 0x12},
                {0x0002FFFF, One, Zero, 0x13},
                {0x0002FFFF, 0x02, Zero, 0x14},
                {0x0002FFFF, 0x03, Zero, 0x15},
                {0x0003FFFF, Zero, Zero, 0x13},
                {0x0003FFFF, One, Zero, 0x14},
                {0x0003FFFF, 0x02, Zero, 0x15},
                {0x0003FFFF, 0x03, Zero, 0x16},
                {0x0004FFFF, Zero, Zero, 0x14},
                {0x0004FFFF, One, Zero, 0x15},
                {0x0004FFFF, 0x02, Zero, 0x16},
                {0x0004FFFF, 0x03, Zero, 0x17},
                {0x0005FFFF, Zero, Zero, 0x15},
                {0x0005FFFF, One, Zero, 0x16},
                {0x0005FFFF, 0x02, Zero, 0x17},
                {0x0005FFFF, 0x03, Zero, 0x10},
                {0x0006FFFF, Zero, Zero, 0x16},
                {0x0006FFFF, One, Zero, 0x17},
                {0x0006FFFF, 0x02, Zero, 0x10},
                {0x0006FFFF, 0x03, Zero, 0x11},
                {0x0007FFFF, Zero, Zero, 0x17},
                {0x0007FFFF, One, Zero, 0x10},
                {0x0007FFFF, 0x02, Zero, 0x11},
                {0x0007FFFF, 0x03, Zero, 0x12},
                {0x0008FFFF, Zero, Zero, 0x10},
                {0x0008FFFF, One, Zero, 0x11},
                {0x0008FFFF, 0x02, Zero, 0x12},
                {0x0008FFFF, 0x03, Zero, 0x13},
                {0x0009FFFF, Zero, Zero, 0x11},
                {0x0009FFFF, One, Zero, 0x12},
                {0x0009FFFF, 0x02, Zero, 0x13},
                {0x0009FFFF, 0x03, Zero, 0x14},
                {0x000AFFFF, Zero, Zero, 0x12},
                {0x000AFFFF, One, Zero, 0x13},
                {0x000AFFFF, 0x02, Zero, 0x14},
                {0x000AFFFF, 0x03, Zero, 0x15},
                {0x000BFFFF, Zero, Zero, 0x13},
                {0x000BFFFF, One, Zero, 0x14},
                {0x000BFFFF, 0x02, Zero, 0x15},
                {0x000BFFFF, 0x03, Zero, 0x16},
                {0x000CFFFF, Zero, Zero, 0x14},
                {0x000CFFFF, One, Zero, 0x15},
                {0x000CFFFF, 0x02, Zero, 0x16},
                {0x000CFFFF, 0x03, Zero, 0x17},
                {0x000DFFFF, Zero, Zero, 0x15},
                {0x000DFFFF, One, Zero, 0x16},
                {0x000DFFFF, 0x02, Zero, 0x17},
                {0x000DFFFF, 0x03, Zero, 0x10},
                {0x000EFFFF, Zero, Zero, 0x16},
                {0x000EFFFF, One, Zero, 0x17},
                {0x000EFFFF, 0x02, Zero, 0x10},
                {0x000EFFFF, 0x03, Zero, 0x11},
                {0x000FFFFF, Zero, Zero, 0x17},
                {0x000FFFFF, One, Zero, 0x10},
                {0x000FFFFF, 0x02, Zero, 0x11},
                {0x000FFFFF, 0x03, Zero, 0x12},
                {0x0010FFFF, Zero, Zero, 0x10},
                {0x0010FFFF, One, Zero, 0x11},
                {0x0010FFFF, 0x02, Zero, 0x12},
                {0x0010FFFF, 0x03, Zero, 0x13},
                {0x0011FFFF, Zero, Zero, 0x11},
                {0x0011FFFF, One, Zero, 0x12},
                {0x0011FFFF, 0x02, Zero, 0x13},
                {0x0011FFFF, 0x03, Zero, 0x14},
                {0x0012FFFF, Zero, Zero, 0x12},
                {0x0012FFFF, One, Zero, 0x13},
                {0x0012FFFF, 0x02, Zero, 0x14},
                {0x0012FFFF, 0x03, Zero, 0x15},
                {0x0013FFFF, Zero, Zero, 0x13},
                {0x0013FFFF, One, Zero, 0x14},
                {0x0013FFFF, 0x02, Zero, 0x15},
                {0x0013FFFF, 0x03, Zero, 0x16},
                {0x0014FFFF, Zero, Zero, 0x14},
                {0x0014FFFF, One, Zero, 0x15},
                {0x0014FFFF, 0x02, Zero, 0x16},
                {0x0014FFFF, 0x03, Zero, 0x17},
                {0x0015FFFF, Zero, Zero, 0x15},
                {0x0015FFFF, One, Zero, 0x16},
                {0x0015FFFF, 0x02, Zero, 0x17},
                {0x0015FFFF, 0x03, Zero, 0x10},
                {0x0016FFFF, Zero, Zero, 0x16},
                {0x0016FFFF, One, Zero, 0x17},
                {0x0016FFFF, 0x02, Zero, 0x10},
                {0x0016FFFF, 0x03, Zero, 0x11},
                {0x0017FFFF, Zero, Zero, 0x17},
                {0x0017FFFF, One, Zero, 0x10},
                {0x0017FFFF, 0x02, Zero, 0x11},
                {0x0017FFFF, 0x03, Zero, 0x12},
                {0x0018FFFF, Zero, Zero, 0x10},
                {0x0018FFFF, One, Zero, 0x11},
                {0x0018FFFF, 0x02, Zero, 0x12},
                {0x0018FFFF, 0x03, Zero, 0x13},
                {0x0019FFFF, Zero, Zero, 0x11},
                {0x0019FFFF, One, Zero, 0x12},
                {0x0019FFFF, 0x02, Zero, 0x13},
                {0x0019FFFF, 0x03, Zero, 0x14},
                {0x001AFFFF, Zero, Zero, 0x12},
                {0x001AFFFF, One, Zero, 0x13},
                {0x001AFFFF, 0x02, Zero, 0x14},
                {0x001AFFFF, 0x03, Zero, 0x15},
                {0x001BFFFF, Zero, Zero, 0x13},
                {0x001BFFFF, One, Zero, 0x14},
                {0x001BFFFF, 0x02, Zero, 0x15},
                {0x001BFFFF, 0x03, Zero, 0x16},
                {0x001CFFFF, Zero, Zero, 0x14},
                {0x001CFFFF, One, Zero, 0x15},
                {0x001CFFFF, 0x02, Zero, 0x16},
                {0x001CFFFF, 0x03, Zero, 0x17},
                {0x001DFFFF, Zero, Zero, 0x15},
                {0x001DFFFF, One, Zero, 0x16},
                {0x001DFFFF, 0x02, Zero, 0x17},
                {0x001DFFFF, 0x03, Zero, 0x10},
                {0x001EFFFF, Zero, Zero, 0x16},
                {0x001EFFFF, One, Zero, 0x17},
                {0x001EFFFF, 0x02, Zero, 0x10},
                {0x001EFFFF, 0x03, Zero, 0x11},
                {0x001FFFFF, Zero, Zero, 0x17},
                {0x001FFFFF, One, Zero, 0x10},
                {0x001FFFFF, 0x02, Zero, 0x11},
                {0x001FFFFF, 0x03, Zero, 0x12}
            })
            Method (_OSC, 4, Serialized)
            {
                CreateDWordField (Arg3, Zero, CDW1)
                If ((Arg0 == ToUUID ("33db4d5b-1ff7-401c-9657-7441c03dd766")))
                {
                    CreateDWordField (Arg3, 0x08, CDW3)
                    Local0 = (CDW3 & 0x15)
                    If ((Arg1 != One))
                    {
                        CDW1 |= 0x08
                    }
                    If ((Local0 != CDW3))
                    {
                        CDW1 |= 0x10
                    }
                    CDW3 = Local0
                }
                Else
                {
                    CDW1 |= 0x04
                }
                Return (Arg3)
            }
            Device (RP13)
            {
                Name (_ADR, 0x00130000)
                Name (_PRT, Package (0x04)
                {
                    {0xFFFF, Zero, Zero, 0x13},
                    {0xFFFF, One, Zero, 0x14},
                    {0xFFFF, 0x02, Zero, 0x15},
                    {0xFFFF, 0x03, Zero, 0x16}
                })
                Device (SLOT)
                {
                    Name (_ADR, Zero)
                    Name (_SUN, 0x04)
                }
            }
        }
        Device (MBRS)
        {
            Name (_HID, EisaId ("PNP0C02"))
            Name (_UID, Zero)
            Name (_CRS, ResourceTemplate ()
            {
                Memory32Fixed (ReadWrite, 0xC0000000, 0x10000000)
                Memory32Fixed (ReadWrite, 0xFFFBC000, 0x00004000)
                IO (Decode16, 0x00F4, 0x00F4, 0x01, 0x04)
            })
        }
        Device (D000)
        {
            Name (_HID, EisaId ("PNP0501"))
            Name (_UID, "uart0")
            Name (_CRS, ResourceTemplate ()
            {
                IO (Decode16, 0x03F8, 0x03F8, 0x01, 0x08)
                IRQNoFlags () {4}
            })
        }
        Device (D001)
        {
            Name (_HID, EisaId ("PNP0B00"))
            Name (_UID, "rtc0")
            Name (_CRS, ResourceTemplate ()
            {
                IO (Decode16, 0x0070, 0x0070, 0x01, 0x02)
                IRQNoFlags () {8}
            })
        }
        Device (D002)
        {
            Name (_HID, EisaId ("PNP0303"))
            Name (_UID, "keyboard0")
            Name (_CRS, ResourceTemplate ()
            {
                IO (Decode16, 0x0060, 0x0060, 0x01, 0x01)
                IO (Decode16, 0x0064, 0x0064, 0x01, 0x01)
                IRQNoFlags () {1}
            })
        }
        Device (A002)
        {
            Name (_HID, EisaId ("PNP0F13"))
            Name (_UID, "keyboard0")
            Name (_CRS, ResourceTemplate ()
            {
                IRQNoFlags () {12}
            })
        }
    }
    Name (_S5, {0x05, Zero, Zero, Zero})
}
